#include "enroll/agent/ownname.h"

#include "ca/base/mem.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void lower(const char *from, char *to)
{
	do
		*to++ = (char)(*from >= 'A' && *from <= 'Z' ? *from - 'A' + 'a' : *from);
	while (*from++ != '\0');
}

enum err ownname_read(const char *name, char out[static HOSTNAME_MAX + 1])
{
	char text[HOSTNAME_MAX + 1];

	if (strlen(name) > HOSTNAME_MAX)
		return fail(ERR_MALFORMED, "usage", "a host name of more than %d characters",
			HOSTNAME_MAX);
	lower(name, text);
	if (hostname_check(text) != OK)
		return fail(ERR_MALFORMED, "usage", "%s", why()->sentence);
	memcpy(out, text, strlen(text) + 1);
	return OK;
}

static void addresses_free(struct addrinfo **addresses)
{
	if (*addresses != NULL)
		freeaddrinfo(*addresses);
	*addresses = NULL;
}

enum err ownname_find(char out[static HOSTNAME_MAX + 1])
{
	AUTO(addresses_free) struct addrinfo *found = NULL;
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	char node[HOSTNAME_MAX + 1] = "";
	const char *name = node;

	if (gethostname(node, sizeof(node) - 1) != 0 || node[0] == '\0')
		return fail(ERR_INTERNAL, "usage", "this machine has no name: give --host");
	/* A node name that is already a full name needs no resolver. */
	if (strchr(node, '.') == NULL && getaddrinfo(node, NULL, &hints, &found) == 0 &&
		found->ai_canonname != NULL)
		name = found->ai_canonname;
	if (ownname_read(name, out) != OK)
		return fail(ERR_INTERNAL, "usage",
			"this machine calls itself \"%.64s\", which is no full name with two "
			"labels: give --host NAME, or tell the resolver its full name (/etc/hosts)",
			name);
	return OK;
}

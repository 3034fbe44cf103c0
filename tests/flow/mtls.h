/* mtls.h - programs that are not ours meet by TLS: a server and a client, each with its key in a TPM. */
#pragma once

#include "tests/flow/process.h"

/* Who shows what, and who believes whom. */
struct mtls_side {
	const char *tcti;
	const char *state; /* directory of `endorse` */
	const char *template; /* whose key and certificate; NULL (only a client): none */
	const char *roots; /* PEM file: whom it trusts */
	const char *peer; /* the name that the peer has to have; NULL (only a server): any */
	const char *ahead; /* its clock runs so much ahead ("+31d"); NULL: it is right */
	bool any_purpose; /* openssl only: certificates are good for what they were not made for */
};

struct mtls {
	const char *dir; /* for files of the meeting */
	bool is_nginx; /* the server; else it is openssl s_server */
	bool is_curl; /* the client; else it is openssl s_client */
	struct mtls_side server, client;
};

struct mtls_outcome {
	bool is_served; /* the client got a page */
	struct output client;
	char *server; /* what it logged */
};

/* The client visits the server once. nginx says in its page whom it took the client for: "from RFC2253-NAME". */
void mtls_meet(const struct mtls *mtls, struct mtls_outcome *outcome);
void mtls_outcome_free(struct mtls_outcome *outcome); /* for AUTO */

/* facts.h - what is known of a device when policy is asked; filled by enroll/flow. */
#pragma once

/* All of it was proven or read from the database; nothing here is hearsay. Borrowed. */
struct facts {
	const char *host; /* a valid name, see ca/base/hostname.h */
	const char *template; /* what the device asks for */
	const char *trust_class; /* as trust_class_words has them: "manufacturer" */
	const char *ek_kind; /* "rsa2048", as key_kind_text() says */
};

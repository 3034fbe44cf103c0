/* facts.h - what is known of a device when policy is asked; filled by enroll/flow. */
#pragma once

#include <stddef.h>

/* One of the labels that the operator gave to the device. */
struct fact_label {
	const char *name, *value;
};
struct fact_labels {
	const struct fact_label *label;
	size_t n;
};

/* All of it was proven or read from the database; nothing here is hearsay. Borrowed. */
struct facts {
	const char *host; /* a valid name, see ca/base/hostname.h */
	const char *trust_class; /* as trust_class_words has them: "manufacturer" */
	const char *ek_kind; /* "rsa2048", as key_kind_text() says */
	const char *const *templates; /* what the device asks for, at least one */
	size_t templates_n;
	struct fact_labels labels;
};

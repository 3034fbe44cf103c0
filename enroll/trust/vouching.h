/* vouching.h - whom a root may vouch for, and how that is found out when nobody says so. */
#pragma once

#include "enroll/trust/candidate.h"
#include "enroll/trust/vendors.h"

#define VOUCHING_MAX 512 /* bytes of a list of manufacturers, see struct trust_item */

/*
 * Appends such a list in its one form, "id:49465800,id:53544D20", or nothing for "any". ERR_REJECTED
 * "ca-manufacturers" for what is neither.
 */
CHECKED enum err vouching_read(const char *text, struct buf *out);

/*
 * Appends the ids that letters of the TCG's registry stand for: "NTC" is id:4E544300, or with a space in
 * the place of the NUL. ERR_REJECTED "ca-manufacturers" unless they are two to four.
 */
CHECKED enum err vouching_of_letters(const char *letters, struct buf *out);

/* What there is to go by; NULL where there is nothing. */
struct vouching_hints {
	const char *given; /* by whoever imports it: a list, or "any" */
	const char *manufacturers; /* by the bundle that it comes from: the same */
	const char *owner; /* by that too, in letters: "NTC" */
	const char *path; /* where it lay: the names of folders tell, the deepest first */
	const struct vendors *vendors;
};

/*
 * Appends the list for a root: by what is given, by its bundle, by its organization or common name among
 * the vendors' names, by its folder, whichever tells first. ERR_REJECTED "ca-manufacturers" when none does.
 */
CHECKED enum err vouching_find(
	const struct candidate *candidate, const struct vouching_hints *hints, struct buf *out);

/* manufacturer.h - what a TPM's manufacturer is called. */
#pragma once

/* Room for manufacturer_text(). */
#define MANUFACTURER_SIZE 64
/*
 * The manufacturer of an EK certificate, "id:49465800", as the letters that it stands for: "IFX"
 * (TCG Vendor ID Registry). Anything else comes back as printable() gives it.
 */
void manufacturer_text(const char *id, char out[static MANUFACTURER_SIZE]);

/*
 * Its name in words: "Infineon Technologies"; NULL for an id that is not among those that have made TPMs
 * (TCG Vendor ID Registry), or that is none.
 */
const char *manufacturer_name(const char *id);

#include "enroll/tpm/manufacturer.h"

#include "ca/base/encode.h"
#include "ca/base/mem.h"
#include "ca/base/printable.h"

#include <stdio.h>
#include <string.h>

/* Four bytes: letters, then spaces or NULs up to the end. */
static bool is_letters(const uint8_t id[static 4])
{
	size_t n = 4;

	while (n > 0 && (id[n - 1] == 0 || id[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++)
		if (id[i] <= 0x20 || id[i] >= 0x7f)
			return false;
	return n > 0;
}

void manufacturer_text(const char *id, char out[static MANUFACTURER_SIZE])
{
	uint8_t letters[4];

	printable(id, out, MANUFACTURER_SIZE);
	/* Not in the registry: IBM's PCI vendor number, which swtpm's manufacturer tool writes. */
	if (strcmp(id, "id:00001014") == 0)
		snprintf(out, MANUFACTURER_SIZE, "IBM");
	if (strncmp(id, "id:", 3) != 0 || hex_read(view_str(id + 3), letters, 4) != OK ||
		!is_letters(letters))
		return;
	memcpy(out, letters, 4);
	for (size_t n = 4; n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\0'); n--)
		out[n - 1] = '\0';
	out[4] = '\0';
}

/* By the letters; what is longer than four is an id that has none. */
static const struct {
	const char *letters, *name;
} names[] = {
	{"AMD", "Advanced Micro Devices"},
	{"ANT", "Ant Group"},
	{"ATML", "Atmel"},
	{"BRCM", "Broadcom"},
	{"CSCO", "Cisco"},
	{"FLYS", "Flyslice Technologies"},
	{"GOOG", "Google"},
	{"HISI", "Huawei"},
	{"HPE", "Hewlett Packard Enterprise"},
	{"HPI", "HP"},
	{"IBM", "IBM"},
	{"IFX", "Infineon Technologies"},
	{"INTC", "Intel"},
	{"LEN", "Lenovo"},
	{"MSFT", "Microsoft"},
	{"NSG", "NSING"},
	{"NSM", "National Semiconductor"},
	{"NTC", "Nuvoton Technology"},
	{"NTZ", "Nationz Technologies"},
	{"QCOM", "Qualcomm"},
	{"ROCC", "Fuzhou Rockchip"},
	{"SEAL", "Wisekey"},
	{"SECE", "SecEdge"},
	{"SMSC", "SMSC"},
	{"SMSN", "Samsung"},
	{"SNS", "Sinosun"},
	{"STM", "STMicroelectronics"},
	{"TXN", "Texas Instruments"},
	{"WEC", "Winbond"},
};

const char *manufacturer_name(const char *id)
{
	char letters[MANUFACTURER_SIZE];

	manufacturer_text(id, letters);
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].letters, letters) == 0)
			return names[i].name;
	return NULL;
}

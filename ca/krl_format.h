/* krl_format.h - the numbers of PROTOCOL.krl. */
#pragma once

#define KRL_MAGIC "SSHKRL\n\0" /* 8 bytes */
#define KRL_MAGIC_SIZE 8
#define KRL_FORMAT 1

enum krl_section_type { KRL_CERTIFICATES = 1, KRL_KEYS = 2 };
enum krl_certificates_type {
	KRL_SERIAL_LIST = 0x20,
	KRL_SERIAL_RANGE = 0x21,
	KRL_SERIAL_BITMAP = 0x22,
	KRL_KEY_ID = 0x23
};

/* Serials that one bitmap spans. OpenSSH takes 16384 (SSHBUF_MAX_BIGNUM); half of it is far from its edge. */
#define KRL_BITMAP_MAX 8192

/* limits.h - how large anything that crosses the wire may be (PROTOCOL.md, "Limits"). */
#pragma once

#define LIMIT_TICKET_BODY (64 * 1024)
#define LIMIT_ENROLL_BODY (128 * 1024)
#define LIMIT_OCSP_BODY (8 * 1024) /* a request as DER */
#define LIMIT_DEPTH 16 /* of objects and lists within each other; the deepest message has 3 */
#define LIMIT_OBJECTS 65536 /* and lists, in all; the largest message, of 20000 EKs, has 40002 */
#define LIMIT_CLAIM (48 * 1024)
#define LIMIT_REQUEST (32 * 1024)
#define LIMIT_ANSWER (128 * 1024)
#define LIMIT_TICKET 1024
#define LIMIT_CREDENTIAL 1024 /* a TPM2B_ID_OBJECT or TPM2B_ENCRYPTED_SECRET */
#define LIMIT_EK_CERTIFICATE (8 * 1024)
#define LIMIT_INTERMEDIATE (4 * 1024)
#define LIMIT_INTERMEDIATES 8
#define LIMIT_PUBLIC 1024 /* a TPM2B_PUBLIC; the largest we take has about 600 bytes */
#define LIMIT_AK_NAME 66 /* by SHA-512, the longest that an AK may have */
#define LIMIT_SERVICE 255
#define LIMIT_HOST 253
#define LIMIT_DEVICE_ID 32 /* hexadecimal digits, exactly so many */
#define LIMIT_REASON 64 /* a reason code */
#define LIMIT_KEYS 8 /* certificates that one request may ask for */
#define LIMIT_ATTEST 1024 /* a TPM2B_ATTEST */
#define LIMIT_SIGNATURE 1024 /* a TPMT_SIGNATURE */
#define LIMIT_SPKI 1024 /* a SubjectPublicKeyInfo, or an OpenSSH public key blob */
#define LIMIT_TEMPLATE_NAME 64
#define LIMIT_PURPOSE 16
#define LIMIT_LINE 1024 /* one of a list for people, with its end */
#define LIMIT_LINES (64 * 1024) /* all of them */

/* oid.h - object identifiers that the code itself knows, dotted. */
#pragma once

/* Ours, below a UUID (ITU-T X.667): nobody assigned the arc, and nobody else can have it. */
#define OID_ENDORSE "2.25.60639937848029146789983724528618050747"
/* Extended key usage of a platform-property certificate: it says who has an AK, and is for nothing else. */
#define OID_PLATFORM_PROPERTY OID_ENDORSE ".1.1"
/* tcg-kp-AIKCertificate: the extended key usage by which verifiers know an AK's certificate. */
#define OID_AK_CERTIFICATE "2.23.133.8.3"

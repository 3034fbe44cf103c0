/* oid.h - object identifiers that the code itself knows, dotted. */
#pragma once

/*
 * Ours, below the UUID 2d9ed3c4-36a6-46c6-9bab-6b91089214bb, cut into arcs as Microsoft's OIDGen
 * does. The other way to make an arc of a UUID, 2.25 (ITU-T X.667), has one of 128 bits, which
 * GnuTLS 3.7 and Go's crypto/x509 do not read.
 */
#define OID_ENDORSE "1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563"
/*
 * Extended key usage of a platform-property certificate: it says who has an AK, and is for nothing
 * else.
 */
#define OID_PLATFORM_PROPERTY OID_ENDORSE ".1.1"
/* Extended key usages of the TCG: tcg-kp-EKCertificate, and tcg-kp-AIKCertificate for an AK's. */
#define OID_EK_CERTIFICATE "2.23.133.8.1"
#define OID_AK_CERTIFICATE "2.23.133.8.3"
/* id-kp-clientAuth, RFC 5280 4.2.1.12 */
#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
/* anyExtendedKeyUsage, RFC 5280 4.2.1.12 */
#define OID_ANY_USAGE "2.5.29.37.0"

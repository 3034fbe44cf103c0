/* ocsp_request.c - nothing yet. */

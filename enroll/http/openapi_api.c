/* openapi_api.c - nothing yet. */

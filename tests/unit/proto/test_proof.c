#include "enroll/proto/proof.h"
#include "tests/unit/check.h"

/* Computed apart from this code, from the words of PROTOCOL.md. */
static const struct vector {
	const char *session_key, *ticket, *claim, *request, *proof, *answer, *sealed;
} vectors[] = {
	{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
		"7b2273657276696365223a2268747470733a2f2f63612e6578616d706c652e6f7267222c22686f7374"
		"223a227765622d30312e6578616d706c652e6f7267222c22656b223a7b7d2c22616b223a7b22707562"
		"6c6963223a224141453d227d7d",
		"7b226b657973223a5b7b2274656d706c617465223a22616b227d5d7d",
		"20278b84c88731737629731190dd8d2628028f279df506f25c427ffafb7ff95c",
		"7b22686f7374223a227765622d30312e6578616d706c652e6f7267227d",
		"a0a1a2a3a4a5a6a7a8a9aaab2b42eef5699ba3fcffaf745a53b65d4b7d91d6de1f92ba0322b54465b5"
		"15c06f924b9f685641f31b7c54fad5b9"},
	{"0000000000000000000000000000000000000000000000000000000000000000", "", "", "",
		"b3497ba4da76396e0859e64f6b473d61e3736d474dbad035445cd3068cbad7ba", "",
		"0000000000000000000000009351bb87feac2c3c750073735106011b"},
	{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "00", "00ff0a",
		"808080808080808080808080808080808080808080808080808080808080808080"
		"8080808080808080808080808080808080808080808080808080808080808080",
		"8ecebdc2b588a5a7c16160090fda81d2000dc9a856b55fa4a1c19e9afc0b7e1a",
		"0000000000000000000000000000000000",
		"ffffffffffffffffffffffff0007fa3a63ab12e9e66a3a6cf288d914f6cebb084e402cf4c59916335a"
		"17c6b37a"},
};

/* A vector as bytes. */
struct session {
	struct secret_key key;
	struct buf ticket, claim, request, proof, answer, sealed;
};

static void session_open(struct session *session, const struct vector *vector)
{
	AUTO(buf_free) struct buf key = BUF(32);

	*session =
		(struct session){{{0}}, BUF(256), BUF(256), BUF(256), BUF(32), BUF(256), BUF(256)};
	add_hex(&key, vector->session_key);
	memcpy(session->key.bytes, key.p, 32);
	add_hex(&session->ticket, vector->ticket);
	add_hex(&session->claim, vector->claim);
	add_hex(&session->request, vector->request);
	add_hex(&session->proof, vector->proof);
	add_hex(&session->answer, vector->answer);
	add_hex(&session->sealed, vector->sealed);
}

static void session_close(struct session *session)
{
	buf_free(&session->ticket);
	buf_free(&session->claim);
	buf_free(&session->request);
	buf_free(&session->proof);
	buf_free(&session->answer);
	buf_free(&session->sealed);
}

static struct transcript transcript_of(const struct session *session)
{
	return (struct transcript){
		buf_view(&session->ticket), buf_view(&session->claim), buf_view(&session->request)};
}

static enum err check(const struct session *session)
{
	const struct transcript transcript = transcript_of(session);

	return proof_check(&session->key, &transcript, session->proof.p);
}

static enum err open_answer(const struct session *session, struct buf *answer)
{
	const struct transcript transcript = transcript_of(session);

	return answer_open(
		&session->key, &transcript, session->proof.p, buf_view(&session->sealed), answer);
}

static void the_proof_of_each_vector_is_made_and_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		AUTO(session_close) struct session session;
		struct transcript transcript;
		uint8_t proof[PROOF_SIZE];

		session_open(&session, &vectors[i]);
		transcript = transcript_of(&session);
		assert_ok(proof_make(&session.key, &transcript, proof));
		assert_view_equal(buf_view(&session.proof), VIEW(proof));
		assert_ok(check(&session));
	}
}

static void the_sealed_answer_of_each_vector_opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		AUTO(session_close) struct session session;
		AUTO(buf_free) struct buf answer = BUF(256);

		session_open(&session, &vectors[i]);
		assert_ok(open_answer(&session, &answer));
		assert_view_equal(buf_view(&session.answer), buf_view(&answer));
	}
}

static void a_proof_holds_for_no_other_bit_of_anything(void **state)
{
	AUTO(session_close) struct session session;

	(void)state;
	session_open(&session, &vectors[0]);
	const struct {
		uint8_t *p;
		size_t n;
	} parts[] = {{session.key.bytes, 32}, {session.ticket.p, session.ticket.n},
		{session.claim.p, session.claim.n}, {session.request.p, session.request.n},
		{session.proof.p, session.proof.n}};

	for (size_t part = 0; part < COUNT(parts); part++)
		for (size_t bit = 0; bit < 8 * parts[part].n; bit++) {
			parts[part].p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_refused(check(&session), ERR_UNPROVEN, "proof-invalid");
			parts[part].p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	assert_ok(check(&session));
}

static void a_byte_more_or_less_needs_another_proof(void **state)
{
	AUTO(session_close) struct session session;

	(void)state;
	session_open(&session, &vectors[0]);
	struct buf *const parts[] = {&session.ticket, &session.claim, &session.request};

	for (size_t i = 0; i < COUNT(parts); i++) {
		parts[i]->n--;
		assert_refused(check(&session), ERR_UNPROVEN, "proof-invalid");
		parts[i]->n++;
		assert_ok(check(&session));
		buf_u8(parts[i], ' ');
		assert_refused(check(&session), ERR_UNPROVEN, "proof-invalid");
		parts[i]->n--;
	}
}

static void claim_and_request_do_not_trade_places_or_bytes(void **state)
{
	static const struct secret_key key = {{1}};
	const struct transcript right = {view_str("t"), view_str("ab"), view_str("c")};
	const struct transcript wrong[] = {
		{view_str("t"), view_str("c"), view_str("ab")},
		{view_str("t"), view_str("a"), view_str("bc")},
		{view_str("ta"), view_str("b"), view_str("c")},
		{view_str("ab"), view_str("t"), view_str("c")},
		{view_str("t"), view_str("abc"), view_str("")},
	};
	uint8_t proof[PROOF_SIZE];

	(void)state;
	assert_ok(proof_make(&key, &right, proof));
	assert_ok(proof_check(&key, &right, proof));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refused(proof_check(&key, &wrong[i], proof), ERR_UNPROVEN, "proof-invalid");
}

/* Proofs over the first vector, each computed with one thing done differently. */
static void a_proof_by_another_key_or_label_is_refused(void **state)
{
	static const char *const wrong[] = {
		/* k_answer for the key */
		"f5e32a81dfbf5a79d648f1909bcd518b1ad6bfc33da76db173c4631cd8cd78e0",
		/* the session key for the key */
		"045e988bc93162a43adea3e674ed5d974b412a69ad63cd32434ee83e31997374",
		/* info without its zero byte */
		"44e5f6fa5de19d955b1bfbc6f87065f5e6dae499a78dbb44b3d9f2d5d8492502",
		/* the ticket itself as salt */
		"36a28ad58db800be925865bf8a627b9bc7a08270c3b9d63d4d35d88e8e38ea36",
		/* no salt */
		"fd29ff86f90930f14e4e15a28a10483549875191d76789ec6ff77165bcc7f480",
		/* the label endorse/1 renew */
		"838445946a250e18602911e3aa91404a19e88a54de7d54ec5eef3e82b14773cf",
		/* the label without its zero byte */
		"02a79a89c05b2845f4230c3cd66ce98d8d1ddbe727f190fdcf676b0e410d759c",
		/* no label */
		"76b10abbbc5d4458b8e11e029771f5535370c8a825f34bab729c2632bc22aa62",
		/* no digest of the ticket */
		"7558e259dc76fea1d128b6644b7e2daa8b39c62a4e5240e10f0edb60eeb946fa",
		/* bytes in place of digests */
		"ec6164fa4dca08ff9541a59e1a635aaab5fc494db10e2482fc82d76651a08afa",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		AUTO(session_close) struct session session;

		session_open(&session, &vectors[0]);
		buf_free(&session.proof);
		add_hex(&session.proof, wrong[i]);
		assert_refused(check(&session), ERR_UNPROVEN, "proof-invalid");
	}
}

static void a_sealed_answer_opens_for_no_other_bit_of_anything(void **state)
{
	AUTO(session_close) struct session session;
	AUTO(buf_free) struct buf answer = BUF(256);

	(void)state;
	session_open(&session, &vectors[0]);
	const struct {
		uint8_t *p;
		size_t n;
	} parts[] = {{session.key.bytes, 32}, {session.ticket.p, session.ticket.n},
		{session.claim.p, session.claim.n}, {session.request.p, session.request.n},
		{session.proof.p, session.proof.n}, {session.sealed.p, session.sealed.n}};

	for (size_t part = 0; part < COUNT(parts); part++)
		for (size_t bit = 0; bit < 8 * parts[part].n; bit++) {
			parts[part].p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_refused(open_answer(&session, &answer), ERR_UNPROVEN, "seal");
			parts[part].p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	assert_int_equal(0, answer.n);
	assert_ok(open_answer(&session, &answer));
}

static void a_sealed_answer_is_neither_cut_nor_lengthened(void **state)
{
	AUTO(session_close) struct session session;
	AUTO(buf_free) struct buf answer = BUF(256);
	size_t whole;

	(void)state;
	session_open(&session, &vectors[0]);
	whole = session.sealed.n;
	for (session.sealed.n = 0; session.sealed.n < whole; session.sealed.n++)
		assert_refused(open_answer(&session, &answer), ERR_UNPROVEN, "seal");
	buf_u8(&session.sealed, 0);
	assert_refused(open_answer(&session, &answer), ERR_UNPROVEN, "seal");
	assert_int_equal(0, answer.n);
}

static void sealing_twice_gives_two_nonces_and_both_open(void **state)
{
	AUTO(session_close) struct session session;
	AUTO(buf_free) struct buf first = BUF(256), second = BUF(256);
	struct transcript transcript;

	(void)state;
	session_open(&session, &vectors[0]);
	transcript = transcript_of(&session);
	assert_ok(answer_seal(
		&session.key, &transcript, session.proof.p, buf_view(&session.answer), &first));
	assert_ok(answer_seal(
		&session.key, &transcript, session.proof.p, buf_view(&session.answer), &second));
	assert_int_equal(AEAD_NONCE_SIZE + session.answer.n + AEAD_TAG_SIZE, first.n);
	assert_memory_not_equal(first.p, second.p, AEAD_NONCE_SIZE);
	const struct buf *const both[] = {&first, &second};

	for (size_t i = 0; i < COUNT(both); i++) {
		AUTO(buf_free) struct buf answer = BUF(256);

		assert_ok(answer_open(
			&session.key, &transcript, session.proof.p, buf_view(both[i]), &answer));
		assert_view_equal(buf_view(&session.answer), buf_view(&answer));
	}
}

static void a_refused_proof_says_nothing_of_the_right_one(void **state)
{
	AUTO(session_close) struct session session;

	(void)state;
	session_open(&session, &vectors[0]);
	session.proof.p[0] ^= 1;
	assert_refused(check(&session), ERR_UNPROVEN, "proof-invalid");
	assert_null(strstr(why()->sentence, "20278b84"));
	assert_string_equal("PROTOCOL proof", why()->clause);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_proof_of_each_vector_is_made_and_accepted),
		cmocka_unit_test(the_sealed_answer_of_each_vector_opens),
		cmocka_unit_test(a_proof_holds_for_no_other_bit_of_anything),
		cmocka_unit_test(a_byte_more_or_less_needs_another_proof),
		cmocka_unit_test(claim_and_request_do_not_trade_places_or_bytes),
		cmocka_unit_test(a_proof_by_another_key_or_label_is_refused),
		cmocka_unit_test(a_sealed_answer_opens_for_no_other_bit_of_anything),
		cmocka_unit_test(a_sealed_answer_is_neither_cut_nor_lengthened),
		cmocka_unit_test(sealing_twice_gives_two_nonces_and_both_open),
		cmocka_unit_test(a_refused_proof_says_nothing_of_the_right_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

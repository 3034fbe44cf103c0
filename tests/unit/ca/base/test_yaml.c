#include "ca/base/yaml.h"
#include "tests/unit/check.h"

#include <unistd.h>

struct limits {
	int64_t count;
	bool strict;
	struct yaml_mark mark;
};

struct guest {
	char *name;
	struct yaml_mark mark;
};

struct house {
	char *name;
	char *key;
	char *colour;
	int64_t rooms;
	int64_t life;
	struct limits limits;
	struct yaml_list guests; /* of struct guest */
	struct yaml_list tags; /* of char * */
	struct yaml_mark mark;
};

static const char *const colours[] = {"red", "green", NULL};
static const struct yaml_key limits_keys[] = {
	{"count", YAML_WHOLE, offsetof(struct limits, count), "4", 0, 9, NULL, NULL},
	{"strict", YAML_BOOL, offsetof(struct limits, strict), "true", 0, 0, NULL, NULL},
	{0},
};
static const struct yaml_schema limits_schema = {
	sizeof(struct limits), limits_keys, offsetof(struct limits, mark)};
static const struct yaml_key guest_keys[] = {
	{"name", YAML_TEXT, offsetof(struct guest, name), NULL, 1, 8, NULL, NULL},
	{0},
};
static const struct yaml_schema guest_schema = {
	sizeof(struct guest), guest_keys, offsetof(struct guest, mark)};
static const struct yaml_key house_keys[] = {
	{"name", YAML_TEXT, offsetof(struct house, name), NULL, 1, 8, NULL, NULL},
	{"key", YAML_PATH, offsetof(struct house, key), "house.key", 0, 0, NULL, NULL},
	{"colour", YAML_TEXT, offsetof(struct house, colour), "", 0, 0, NULL, colours},
	{"rooms", YAML_WHOLE, offsetof(struct house, rooms), "3", 1, 100, NULL, NULL},
	{"life", YAML_SECONDS, offsetof(struct house, life), "90d", 1, 7776000, NULL, NULL},
	{"limits", YAML_MAP, offsetof(struct house, limits), "", 0, 0, &limits_schema, NULL},
	{"guests", YAML_LIST, offsetof(struct house, guests), "", 1, 2, &guest_schema, NULL},
	{"tags", YAML_LIST, offsetof(struct house, tags), "", 0, 3, NULL, NULL},
	{0},
};
static const struct yaml_schema house_schema = {
	sizeof(struct house), house_keys, offsetof(struct house, mark)};

static enum err read_view(struct view text, struct house *out, struct problems *problems)
{
	problems_init(problems);
	return yaml_read(text, "/etc/h.yaml", &house_schema, out, problems);
}

/* The text is refused with exactly these lines of problems, and leaves nothing in the struct. */
static void assert_problems(struct view text, const char *wanted)
{
	static const struct house nothing;
	AUTO(problems_free) struct problems problems;
	struct house house;
	size_t lines = 0;

	memset(&house, 0xa5, sizeof(house));
	assert_refused(read_view(text, &house, &problems), ERR_MALFORMED, "yaml");
	assert_string_equal(wanted, buf_text(&problems.text));
	for (const char *c = wanted; *c != '\0'; c++)
		lines += *c == '\n';
	assert_int_equal(lines, problems.n);
	assert_memory_equal(&nothing, &house, sizeof(house));
}

static void a_full_file_fills_the_struct(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	assert_ok(read_view(view_str("name: house # a remark\n"
				     "key: /run/key\n"
				     "colour: 'green'\n"
				     "rooms: 100\n"
				     "life: 12h\n"
				     "limits: {count: 0, strict: false}\n"
				     "guests:\n"
				     "  - name: ann\n"
				     "  - {name: \"bob\"}\n"
				     "tags: [x, 'y z', 1]\n"),
		&house, &problems));
	assert_int_equal(0, problems.n);
	assert_string_equal("house", house.name);
	assert_string_equal("/run/key", house.key);
	assert_string_equal("green", house.colour);
	assert_int_equal(100, house.rooms);
	assert_int_equal(43200, house.life);
	assert_int_equal(0, house.limits.count);
	assert_false(house.limits.strict);
	assert_int_equal(2, house.guests.n);
	assert_string_equal("ann", ((struct guest *)house.guests.item)[0].name);
	assert_string_equal("bob", ((struct guest *)house.guests.item)[1].name);
	assert_int_equal(3, house.tags.n);
	assert_string_equal("y z", ((char **)house.tags.item)[1]);
	assert_int_equal(1, house.mark.line);
	assert_int_equal(1, house.mark.column);
	assert_int_equal(9, ((struct guest *)house.guests.item)[1].mark.line);
	assert_int_equal(5, ((struct guest *)house.guests.item)[1].mark.column);
	yaml_release(&house_schema, &house);
}

static void absent_keys_take_their_defaults(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	assert_ok(read_view(view_str("name: h\n"), &house, &problems));
	assert_string_equal("/etc/house.key", house.key);
	assert_null(house.colour);
	assert_int_equal(3, house.rooms);
	assert_int_equal(7776000, house.life);
	assert_int_equal(4, house.limits.count);
	assert_true(house.limits.strict);
	assert_int_equal(0, house.guests.n);
	assert_null(house.guests.item);
	yaml_release(&house_schema, &house);
}

static void a_map_in_part_takes_the_other_defaults(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	assert_ok(read_view(view_str("{name: h, limits: {count: 9}}"), &house, &problems));
	assert_int_equal(9, house.limits.count);
	assert_true(house.limits.strict);
	yaml_release(&house_schema, &house);
}

static void a_default_that_does_not_fit_is_a_problem(void **state)
{
	static const struct yaml_key keys[] = {
		{"count", YAML_WHOLE, offsetof(struct limits, count), "10", 0, 9, NULL, NULL},
		{0},
	};
	static const struct yaml_schema schema = {
		sizeof(struct limits), keys, offsetof(struct limits, mark)};
	AUTO(problems_free) struct problems problems;
	struct limits limits;

	(void)state;
	problems_init(&problems);
	assert_refused(
		yaml_read(view_str("{}"), "f", &schema, &limits, &problems), ERR_MALFORMED, "yaml");
	assert_string_equal(
		"f:1:1: default: \"count\" is \"10\": wanted 0 to 9\n", buf_text(&problems.text));
}

/* In each row `text` differs from a good file in one thing. */
static const struct problem_row {
	const char *text, *problem;
} problem_rows[] = {
	{"", "1:1: the file is empty"},
	{"# nothing\n", "1:1: the file is empty"},
	{"house\n", "1:1: wanted keys and values"},
	{"- name: h\n", "1:1: wanted keys and values"},
	{"rooms: 4\n", "1:1: the key \"name\" is missing"},
	{"{}\n", "1:1: the key \"name\" is missing"},
	{"name: h\nguests: [{}]\n", "2:10: the key \"name\" is missing"},
	{"name: h\nhots: 1\n", "2:1: unknown key \"hots\""},
	{"name: h\nName: h\n", "2:1: unknown key \"Name\""},
	{"name: h\n<<: {rooms: 4}\n", "2:1: unknown key \"<<\""},
	{"name: h\n? [a, b]\n: 1\n", "2:3: unknown key \"(not a word)\""},
	{"name: h\nlimits: {count: 1, cuont: 2}\n", "2:20: unknown key \"cuont\""},
	{"name: h\nlimits:\n  count: 1\n  nested: {a: b}\n", "4:3: unknown key \"nested\""},
	{"name: h\nname: h\n", "2:1: the key \"name\" is there twice"},
	{"name: h\n\"name\": i\n", "2:1: the key \"name\" is there twice"},
	{"name: h\nlimits:\n  count: 1\n  count: 1\n", "4:3: the key \"count\" is there twice"},
	{"name: h\nguests: [{name: a, name: b}]\n", "2:20: the key \"name\" is there twice"},
	{"name: [h]\n", "1:7: \"name\": wanted a single value"},
	{"name: {h: i}\n", "1:7: \"name\": wanted a single value"},
	{"name: h\nrooms: [4]\n", "2:8: \"rooms\": wanted a single value"},
	{"name: h\ntags: x\n", "2:7: \"tags\": wanted a list"},
	{"name: h\ntags: {x: y}\n", "2:7: \"tags\": wanted a list"},
	{"name: h\ntags: [x, [y]]\n", "2:11: \"tags\": wanted a single value"},
	{"name: h\ntags: [x, '']\n", "2:11: \"tags\": wanted 1 to 1024 characters"},
	{"name: h\nlimits: 4\n", "2:9: wanted keys and values"},
	{"name: h\nlimits:\n", "2:8: wanted keys and values"},
	{"name: h\nlimits: [count]\n", "2:9: wanted keys and values"},
	{"name: h\nguests: [ann]\n", "2:10: wanted keys and values"},
	{"name: h\nguests: []\n", "2:9: \"guests\" has 0 entries: wanted 1 to 2"},
	{"name: h\nguests: [{name: a}, {name: b}, {name: c}]\n",
		"2:9: \"guests\" has 3 entries: wanted 1 to 2"},
	{"name: h\ntags: [a, b, c, d]\n", "2:7: \"tags\" has 4 entries: wanted 0 to 3"},
	{"name:\n", "1:6: \"name\": wanted 1 to 8 characters"},
	{"name: abcdefghi\n", "1:7: \"name\": wanted 1 to 8 characters"},
	{"name: h\nkey: ''\n", "2:6: \"key\" is empty: wanted a path"},
	{"name: h\ncolour: blue\n", "2:9: \"colour\" is \"blue\": wanted one of red, green"},
	{"name: h\nrooms: 90d\n", "2:8: \"rooms\" is \"90d\": wanted a whole number"},
	{"name: h\nrooms: 90.5\n", "2:8: \"rooms\" is \"90.5\": wanted a whole number"},
	{"name: h\nrooms:   0777\n", "2:10: \"rooms\" is \"0777\": wanted a whole number"},
	{"name: h\nrooms: 101\n", "2:8: \"rooms\" is \"101\": wanted 1 to 100"},
	{"name: h\nrooms: -1\n", "2:8: \"rooms\" is \"-1\": wanted 1 to 100"},
	{"name: h\nrooms: 99999999999999999999\n",
		"2:8: \"rooms\" is \"99999999999999999999\": wanted a whole number"},
	{"name: h\nlife: 90\n",
		"2:7: \"life\" is \"90\": wanted a time such as 30s, 5m, 12h or 90d"},
	{"name: h\nlife: 91d\n", "2:7: \"life\" is \"91d\": wanted 1 to 7776000 seconds"},
	{"name: h\nlimits: {strict: yes}\n", "2:18: \"strict\" is \"yes\": wanted true or false"},
	{"name: &x h\n", "1:7: anchors and tags are not read here"},
	{"&x name: h\n", "1:1: anchors and tags are not read here"},
	{"&x {name: h}\n", "1:1: anchors and tags are not read here"},
	{"name: h\ntags: &x [a]\n", "2:7: anchors and tags are not read here"},
	{"name: !!str h\n", "1:7: anchors and tags are not read here"},
	{"name: !mine h\n", "1:7: anchors and tags are not read here"},
	{"name: ! h\n", "1:7: anchors and tags are not read here"},
	{"name: h\nlimits: !!map {}\n", "2:9: anchors and tags are not read here"},
	{"name: h\ntags: !!set [a]\n", "2:7: anchors and tags are not read here"},
	{"name: *x\n", "1:7: aliases are not read here"},
	{"name: h\ntags: [*x]\n", "2:8: aliases are not read here"},
	{"name: h\n---\nname: h\n", "2:1: a second document"},
	{"name: h\n...\n---\n", "3:1: a second document"},
	{"name: \"a\\0b\"\n", "1:7: a NUL byte"},
	{"name: h\n\"rooms\\0\": 4\n", "2:1: a NUL byte"},
};

/* The words are the library's; the place counts. */
static void what_is_no_yaml_is_a_problem_at_its_place(void **state)
{
	static const struct {
		struct view text;
		const char *place;
	} rows[] = {
		{VIEW("name: h\ntags: [a\n"), "3:1"},
		{VIEW("name: h\n rooms: 4\n"), "2:7"},
		{VIEW("name: h\n\trooms: 4\n"), "2:1"},
		{VIEW("name: \"h\n"), "2:1"},
		{VIEW("%YAML 3.0\n---\nname: h\n"), "1:1"},
		{VIEW("name: h\x01\n"), "1:8"},
		{VIEW("name: h\n# \xc3\xa9\xff\n"), "2:4"},
		{VIEW("name: h\ncolour: \xc3"), "2:9"},
		{VIEW("name: h\ncolour: \xed\xa0\x80"), "2:9"},
		{VIEW("name: h\ncolour: \xc0\x80"), "2:9"},
		{VIEW("name: h\nrooms: 4\0\n"), "2:9"},
		{VIEW("\xff\xfen\0"), "1:1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(problems_free) struct problems problems;
		/* without the NUL at the end of the literal */
		struct view text = {rows[i].text.p, rows[i].text.n - 1};
		struct house house;
		char wanted[64];

		assert_refused(read_view(text, &house, &problems), ERR_MALFORMED, "yaml");
		assert_int_equal(1, problems.n);
		snprintf(wanted, sizeof(wanted), "/etc/h.yaml:%s: ", rows[i].place);
		if (strncmp(wanted, buf_text(&problems.text), strlen(wanted)) != 0)
			fail_msg("row %zu: wanted %s, got %s", i, wanted, buf_text(&problems.text));
	}
}

static void one_fault_is_one_problem_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(problem_rows); i++) {
		char wanted[256];

		snprintf(wanted, sizeof(wanted), "/etc/h.yaml:%s\n", problem_rows[i].problem);
		assert_problems(view_str(problem_rows[i].text), wanted);
	}
}

static void no_bytes_at_all_are_an_empty_file(void **state)
{
	(void)state;
	assert_problems((struct view){NULL, 0}, "/etc/h.yaml:1:1: the file is empty\n");
}

static void all_problems_are_told(void **state)
{
	(void)state;
	assert_problems(view_str("nmae: h\n"
				 "rooms: many\n"
				 "rooms: 4\n"
				 "limits: {count: 10, strict: 1, more: x}\n"
				 "guests:\n"
				 "  - name: ''\n"
				 "  - nobody\n"
				 "tags: [a, [b], c]\n"
				 "life: 1y\n"),
		"/etc/h.yaml:1:1: unknown key \"nmae\"\n"
		"/etc/h.yaml:2:8: \"rooms\" is \"many\": wanted a whole number\n"
		"/etc/h.yaml:3:1: the key \"rooms\" is there twice\n"
		"/etc/h.yaml:4:17: \"count\" is \"10\": wanted 0 to 9\n"
		"/etc/h.yaml:4:29: \"strict\" is \"1\": wanted true or false\n"
		"/etc/h.yaml:4:32: unknown key \"more\"\n"
		"/etc/h.yaml:6:11: \"name\": wanted 1 to 8 characters\n"
		"/etc/h.yaml:7:5: wanted keys and values\n"
		"/etc/h.yaml:8:11: \"tags\": wanted a single value\n"
		"/etc/h.yaml:9:7: \"life\" is \"1y\": wanted a time such as 30s, 5m, 12h or 90d\n"
		"/etc/h.yaml:1:1: the key \"name\" is missing\n");
}

static void problems_of_several_files_add_up(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	problems_init(&problems);
	assert_refused(yaml_read(view_str("a: b"), "one", &limits_schema, &house.limits, &problems),
		ERR_MALFORMED, "yaml");
	assert_ok(yaml_read(view_str("{}"), "two", &limits_schema, &house.limits, &problems));
	assert_refused(yaml_read(view_str("c: d"), "tri", &limits_schema, &house.limits, &problems),
		ERR_MALFORMED, "yaml");
	assert_string_equal("one:1:1: unknown key \"a\"\ntri:1:1: unknown key \"c\"\n",
		buf_text(&problems.text));
	assert_int_equal(2, problems.n);
}

/* `n` lists within each other, below the mapping of the file. */
static void nested(struct buf *out, size_t n)
{
	buf_str(out, "name: h\nhots: ");
	for (size_t i = 0; i < n; i++)
		buf_str(out, "[");
	for (size_t i = 0; i < n; i++)
		buf_str(out, "]");
}

static void nesting_ends_at_sixteen(void **state)
{
	AUTO(buf_free) struct buf good = BUF(256), deep = BUF(256), abyss = BUF(1 << 17);

	(void)state;
	nested(&good, 15);
	assert_problems(buf_view(&good), "/etc/h.yaml:2:1: unknown key \"hots\"\n");
	nested(&deep, 16);
	assert_problems(buf_view(&deep), "/etc/h.yaml:2:22: nested too deeply\n");
	nested(&abyss, 30000);
	assert_problems(buf_view(&abyss), "/etc/h.yaml:2:22: nested too deeply\n");
}

static void nesting_is_counted_from_above_and_not_in_all(void **state)
{
	(void)state;
	assert_problems(
		view_str("name: h\n"
			 "x: [[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]\n"),
		"/etc/h.yaml:2:1: unknown key \"x\"\n");
}

/* A good file of `n` bytes. */
static void filled(struct buf *out, size_t n)
{
	buf_str(out, "name: h\n#");
	while (out->n < n)
		buf_u8(out, 'x');
}

static void a_file_has_at_most_64_kibibytes(void **state)
{
	AUTO(buf_free) struct buf good = BUF(1 << 17), large = BUF(1 << 17);
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	filled(&good, 65536);
	assert_ok(read_view(buf_view(&good), &house, &problems));
	yaml_release(&house_schema, &house);
	filled(&large, 65537);
	assert_problems(buf_view(&large), "/etc/h.yaml: more than 65536 bytes\n");
}

static void a_file_is_read_and_its_paths_start_beside_it(void **state)
{
	char path[] = "/tmp/endorse-yaml-XXXXXX";
	AUTO(fd_close) int fd = mkstemp(path);
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	problems_init(&problems);
	assert_int_equal(8, write(fd, "name: h\n", 8));
	assert_ok(yaml_read_file(path, &house_schema, &house, &problems));
	assert_string_equal("/tmp/house.key", house.key);
	yaml_release(&house_schema, &house);
	assert_int_equal(0, ftruncate(fd, 0));
	assert_refused(
		yaml_read_file(path, &house_schema, &house, &problems), ERR_MALFORMED, "yaml");
	assert_int_equal(0, ftruncate(fd, 70000));
	assert_refused(yaml_read_file(path, &house_schema, &house, &problems), ERR_TOO_LARGE,
		"file-too-large");
	unlink(path);
	assert_int_equal(2, problems.n);
}

static void a_file_that_is_missing_is_a_problem(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	problems_init(&problems);
	assert_refused(yaml_read_file("/missing/h.yaml", &house_schema, &house, &problems),
		ERR_NOT_FOUND, "file-missing");
	assert_string_equal("/missing/h.yaml: there is no such file\n", buf_text(&problems.text));
	assert_null(house.name);
}

static void releasing_twice_frees_once(void **state)
{
	AUTO(problems_free) struct problems problems;
	struct house house;

	(void)state;
	assert_ok(read_view(
		view_str("{name: h, tags: [a], guests: [{name: b}]}"), &house, &problems));
	yaml_release(&house_schema, &house);
	assert_null(house.name);
	assert_int_equal(0, house.guests.n);
	yaml_release(&house_schema, &house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_file_fills_the_struct),
		cmocka_unit_test(absent_keys_take_their_defaults),
		cmocka_unit_test(a_map_in_part_takes_the_other_defaults),
		cmocka_unit_test(a_default_that_does_not_fit_is_a_problem),
		cmocka_unit_test(one_fault_is_one_problem_at_its_place),
		cmocka_unit_test(no_bytes_at_all_are_an_empty_file),
		cmocka_unit_test(what_is_no_yaml_is_a_problem_at_its_place),
		cmocka_unit_test(all_problems_are_told),
		cmocka_unit_test(problems_of_several_files_add_up),
		cmocka_unit_test(nesting_ends_at_sixteen),
		cmocka_unit_test(nesting_is_counted_from_above_and_not_in_all),
		cmocka_unit_test(a_file_has_at_most_64_kibibytes),
		cmocka_unit_test(a_file_is_read_and_its_paths_start_beside_it),
		cmocka_unit_test(a_file_that_is_missing_is_a_problem),
		cmocka_unit_test(releasing_twice_frees_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

import assert from "node:assert/strict";
import fc from "fast-check";
import { HEAD_BYTES_MAX } from "../../src/wasmedge/http/parser.ts";
import {
	bytesOf,
	type NodeReader,
	openNodeReader,
	type Reading,
	type ReadRequest,
	readRequests,
} from "./http-requests.ts";

const read = (text: string) => readRequests([bytesOf(text)]);

/** A request of these lines; the blank line is added. */
const lines = (...all: string[]) => `${all.join("\r\n")}\r\n\r\n`;

const GET = lines("GET /health/live HTTP/1.1", "Host: localhost:8000");
const NEXT = lines("GET /next HTTP/1.1", "Host: localhost:8000");
const POST = [
	"POST /invoices HTTP/1.1",
	"Host: localhost:8000",
	"Content-Type: application/json",
];
const CHUNKED = lines(...POST, "Transfer-Encoding: chunked");

describe("The HTTP parser", () => {
	it("reads a request as a client of ours sends it", () => {
		assert.deepEqual(
			read(
				`${lines(...POST, "Content-Length: 2", "X-Note:\t a b \t", "Accept: a", "ACCEPT: b", "Cookie: a=1", "Cookie: b=2")}{}`,
			),
			{
				requests: [
					{
						method: "POST",
						url: "http://localhost:8000/invoices",
						headers: {
							host: "localhost:8000",
							"content-type": "application/json",
							"content-length": "2",
							"x-note": "a b",
							accept: "a, b",
							cookie: "a=1; b=2",
						},
						body: "{}",
					},
				],
			},
		);
	});

	describe("takes", () => {
		for (const [what, text, bodies] of [
			["requests one after the other", GET + NEXT, ["", ""]],
			["one empty line before a request", `\r\n${GET}\r\n${NEXT}`, ["", ""]],
			[
				"a body of known length",
				`${lines(...POST, "Content-Length: 3")}abc${NEXT}`,
				["abc", ""],
			],
			[
				"leading zeros of a length",
				`${lines(...POST, "Content-Length: 003")}abc${NEXT}`,
				["abc", ""],
			],
			[
				"a body with GET",
				`${lines("GET / HTTP/1.1", "Host: a", "Content-Length: 3")}abc${NEXT}`,
				["abc", ""],
			],
			[
				"chunks",
				`${CHUNKED}3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n${NEXT}`,
				["abc0123456789", ""],
			],
			["chunks of no bytes at all", `${CHUNKED}0\r\n\r\n${NEXT}`, ["", ""]],
			[
				"extensions of a chunk, which mean nothing",
				`${CHUNKED}3;a;b=c;d="e;f"\r\nabc\r\n0;x\r\n\r\n${NEXT}`,
				["abc", ""],
			],
			[
				"trailer fields, which are dropped",
				`${CHUNKED}3\r\nabc\r\n0\r\nContent-Length: 7\r\nX: y\r\n\r\n${NEXT}`,
				["abc", ""],
			],
			[
				"chunked in capital letters",
				`${lines(...POST, "Transfer-Encoding: Chunked")}0\r\n\r\n${NEXT}`,
				["", ""],
			],
			[
				"nothing behind Connection: close",
				`${lines("GET / HTTP/1.1", "Host: a", "Connection: close")}${NEXT}`,
				[""],
			],
			[
				"nothing behind a request of HTTP/1.0",
				`${lines("GET / HTTP/1.0", "Host: a")}${NEXT}`,
				[""],
			],
			[
				"what follows keep-alive of HTTP/1.0",
				`${lines("GET / HTTP/1.0", "Host: a", "Connection: keep-alive")}${NEXT}`,
				["", ""],
			],
			[
				"a body of many chunks, if they are not all tiny",
				`${CHUNKED}${`64\r\n${"x".repeat(100)}\r\n`.repeat(5000)}0\r\n\r\n${NEXT}`,
				["x".repeat(500_000), ""],
			],
			[
				"no more of a body than has come",
				`${lines(...POST, "Content-Length: 10")}abc`,
				[],
			],
			["no more of a head than has come", GET.slice(0, -1), []],
		] as const) {
			it(what, () => {
				const { requests, ...rest } = read(text);
				assert.deepEqual(rest, {});
				assert.deepEqual(
					requests.map(({ body }) => body),
					bodies,
				);
			});
		}
	});

	it("takes nothing off a value but spaces and tabs", () => {
		const { requests } = read(
			lines("GET / HTTP/1.1", "Host: a", "X: \t\xa0a\xa0 "),
		);
		assert.equal(requests[0]?.headers.x, "\xa0a\xa0");
	});

	describe("makes the URL of", () => {
		for (const [target, host, url] of [
			["/", "localhost", "http://localhost/"],
			["/a?b=c", "127.0.0.1:8000", "http://127.0.0.1:8000/a?b=c"],
			["/a?b=c", "LOCALHOST:80", "http://localhost/a?b=c"],
			["/a", "[::1]:8000", "http://[::1]:8000/a"],
			["//elsewhere/a", "localhost", "http://localhost//elsewhere/a"],
			["/a/../b/./c", "localhost", "http://localhost/b/c"],
			["/a/%2e%2E/b", "localhost", "http://localhost/b"],
			["/%41?q=%20|{}", "localhost", "http://localhost/%41?q=%20|{}"],
			["/a<b>", "localhost", "http://localhost/a%3Cb%3E"],
			["http://other:81/x?y", "localhost", "http://other:81/x?y"],
			["https://other", "localhost", "https://other/"],
		] as const) {
			it(`${target} of ${host}`, () => {
				const { requests } = read(
					lines(`GET ${target} HTTP/1.1`, `Host: ${host}`),
				);
				assert.equal(requests[0]?.url, url);
			});
		}
	});

	describe("refuses", () => {
		const field = (line: string) => lines("GET / HTTP/1.1", "Host: a", line);
		for (const [what, text, status] of [
			["what is no HTTP", "HELO invoices\r\n\r\n", 400],
			[
				"a handshake of TLS",
				"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
				400,
			],
			["HTTP/0.9", "GET /\r\n\r\n", 400],
			["HTTP/1.2", lines("GET / HTTP/1.2", "Host: a"), 505],
			["HTTP/2.0", lines("GET / HTTP/2.0", "Host: a"), 505],
			["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
			["a version that is none", lines("GET / HTTP/1.1x", "Host: a"), 400],
			["a version in small letters", lines("GET / http/1.1", "Host: a"), 400],
			["a method in small letters", lines("get / HTTP/1.1", "Host: a"), 400],
			[
				"a method that it does not know",
				lines("BREW / HTTP/1.1", "Host: a"),
				501,
			],
			["CONNECT", lines("CONNECT a:443 HTTP/1.1", "Host: a"), 501],
			[
				"two spaces behind the method",
				lines("GET  / HTTP/1.1", "Host: a"),
				400,
			],
			["a tab behind the method", lines("GET\t/ HTTP/1.1", "Host: a"), 400],
			["a space in the target", lines("GET /a b HTTP/1.1", "Host: a"), 400],
			["a space behind the version", lines("GET / HTTP/1.1 ", "Host: a"), 400],
			["a space before the method", lines(" GET / HTTP/1.1", "Host: a"), 400],
			["two empty lines before a request", `\r\n\r\n${GET}`, 400],
			["a NUL in the target", lines("GET /\0 HTTP/1.1", "Host: a"), 400],
			[
				"a byte beyond ASCII in the target",
				lines("GET /\xe4 HTTP/1.1", "Host: a"),
				400,
			],
			["a fragment", lines("GET /a#b HTTP/1.1", "Host: a"), 400],
			["a backslash in the path", lines("GET /a\\b HTTP/1.1", "Host: a"), 400],
			["a target without a slash", lines("GET a HTTP/1.1", "Host: a"), 400],
			["an asterisk", lines("OPTIONS * HTTP/1.1", "Host: a"), 400],
			[
				"a URL of another scheme",
				lines("GET ftp://a/b HTTP/1.1", "Host: a"),
				400,
			],
			[
				"a URL with a user and no password",
				lines("GET http://u@a/b HTTP/1.1", "Host: a"),
				400,
			],
			[
				"a URL with a user",
				lines("GET http://u:p@a/b HTTP/1.1", "Host: a"),
				400,
			],
			["no Host", lines("GET / HTTP/1.1", "X: a"), 400],
			["no field at all", "GET / HTTP/1.1\r\n\r\n", 400],
			["no Host, of HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 400],
			["an empty Host", lines("GET / HTTP/1.1", "Host:"), 400],
			["two Hosts", lines("GET / HTTP/1.1", "Host: a", "Host: b"), 400],
			[
				"the same Host twice",
				lines("GET / HTTP/1.1", "Host: a", "Host: a"),
				400,
			],
			["a Host with a space", lines("GET / HTTP/1.1", "Host: a b"), 400],
			["a Host with a path", lines("GET / HTTP/1.1", "Host: a/b"), 400],
			["a Host with a user", lines("GET / HTTP/1.1", "Host: u@a"), 400],
			["a Host with a comma", lines("GET / HTTP/1.1", "Host: a, b"), 400],
			["a port beyond 65535", lines("GET / HTTP/1.1", "Host: a:65536"), 400],
			["a folded field", lines("GET / HTTP/1.1", "Host: a", "X: b", " c"), 400],
			[
				"a fold before the first field",
				lines("GET / HTTP/1.1", " Host: a"),
				400,
			],
			["a space before the colon", field("X : b"), 400],
			["a tab before the colon", field("X\t: b"), 400],
			[
				"a space before the colon of Content-Length",
				field("Content-Length : 3"),
				400,
			],
			["a field without a name", field(": b"), 400],
			["a line without a colon", field("X"), 400],
			["a name in quotes", field('"X": b'), 400],
			["a name beyond ASCII", field("\xdcber: b"), 400],
			["a NUL in a value", field("X: a\0b"), 400],
			["CR alone in a value", field("X: a\rb"), 400],
			["CR alone before a field", field("\rX: a"), 400],
			["LF alone between fields", field("X: a\nY: b"), 400],
			["LF alone at the end", "GET / HTTP/1.1\nHost: a\n\n", 400],
			["CR alone at the end", "GET / HTTP/1.1\rHost: a\r\r\n\r\n", 400],
			["a vertical tab in a value", field("X: a\x0bb"), 400],
			["DEL in a value", field("X: a\x7fb"), 400],
			[
				"two lengths",
				`${lines(...POST, "Content-Length: 2", "Content-Length: 3")}{}`,
				400,
			],
			[
				"the same length twice",
				`${lines(...POST, "Content-Length: 2", "Content-Length: 2")}{}`,
				400,
			],
			[
				"two lengths in one field",
				`${lines(...POST, "Content-Length: 2, 2")}{}`,
				400,
			],
			["a negative length", lines(...POST, "Content-Length: -1"), 400],
			[
				"a length with a sign",
				`${lines(...POST, "Content-Length: +2")}{}`,
				400,
			],
			[
				"a hexadecimal length",
				`${lines(...POST, "Content-Length: 0x2")}{}`,
				400,
			],
			[
				"a length with a fraction",
				`${lines(...POST, "Content-Length: 2.0")}{}`,
				400,
			],
			["an empty length", lines(...POST, "Content-Length:"), 400],
			[
				"a length beyond what a number holds",
				lines(...POST, "Content-Length: 18446744073709551618"),
				400,
			],
			[
				"a length and chunks",
				`${lines(...POST, "Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
				400,
			],
			[
				"chunks and a length",
				`${lines(...POST, "Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n`,
				400,
			],
			[
				"chunks of HTTP/1.0",
				`${lines("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked")}0\r\n\r\n`,
				400,
			],
			[
				"an encoding that does not end in chunked",
				lines(...POST, "Transfer-Encoding: gzip"),
				400,
			],
			[
				"chunked before another coding",
				lines(...POST, "Transfer-Encoding: chunked, gzip"),
				400,
			],
			[
				"chunked twice",
				lines(...POST, "Transfer-Encoding: chunked, chunked"),
				400,
			],
			[
				"chunked in two fields",
				lines(
					...POST,
					"Transfer-Encoding: chunked",
					"Transfer-Encoding: chunked",
				),
				400,
			],
			[
				"a list of codings with a gap",
				lines(...POST, "Transfer-Encoding: chunked,"),
				400,
			],
			[
				"the identity coding",
				lines(...POST, "Transfer-Encoding: identity"),
				400,
			],
			["an empty Transfer-Encoding", lines(...POST, "Transfer-Encoding:"), 400],
			[
				"chunked behind a vertical tab",
				lines(...POST, "Transfer-Encoding: \x0bchunked"),
				400,
			],
			[
				"chunked behind a no-break space",
				lines(...POST, "Transfer-Encoding: \xa0chunked"),
				400,
			],
			[
				"a coding that it does not know",
				lines(...POST, "Transfer-Encoding: gzip, chunked"),
				501,
			],
			[
				"an expectation that it cannot meet",
				lines(...POST, "Content-Length: 2", "Expect: 200-ok"),
				417,
			],
			[
				"a head that is too long",
				field(`X: ${"x".repeat(HEAD_BYTES_MAX)}`),
				431,
			],
			[
				"a head that is too long and has no end",
				`GET /${"x".repeat(HEAD_BYTES_MAX)}`,
				431,
			],
			[
				"a hundred fields and one",
				lines("GET / HTTP/1.1", "Host: a", ...Array<string>(100).fill("X: a")),
				431,
			],
			["a size that is no number", `${CHUNKED}zz\r\nabc\r\n0\r\n\r\n`, 400],
			["no size", `${CHUNKED}\r\nabc\r\n0\r\n\r\n`, 400],
			["a size with 0x", `${CHUNKED}0x3\r\nabc\r\n0\r\n\r\n`, 400],
			["a negative size", `${CHUNKED}-3\r\nabc\r\n0\r\n\r\n`, 400],
			["a size of nine digits", `${CHUNKED}000000003\r\nabc\r\n0\r\n\r\n`, 400],
			[
				"a size that would overflow",
				`${CHUNKED}100000003\r\nabc\r\n0\r\n\r\n`,
				400,
			],
			["a space behind the size", `${CHUNKED}3 \r\nabc\r\n0\r\n\r\n`, 400],
			["a space before the size", `${CHUNKED} 3\r\nabc\r\n0\r\n\r\n`, 400],
			["LF alone behind the size", `${CHUNKED}3\nabc\r\n0\r\n\r\n`, 400],
			["CR alone in an extension", `${CHUNKED}3;a\rb\r\nabc\r\n0\r\n\r\n`, 400],
			["LF alone in an extension", `${CHUNKED}3;a\nb\r\nabc\r\n0\r\n\r\n`, 400],
			["an extension without a name", `${CHUNKED}3;\r\nabc\r\n0\r\n\r\n`, 400],
			[
				"an extension that is too long",
				`${CHUNKED}3;${"a".repeat(300)}\r\nabc\r\n0\r\n\r\n`,
				400,
			],
			[
				"more extensions than body",
				`${CHUNKED}${`1;${"a".repeat(250)}\r\na\r\n`.repeat(80)}0\r\n\r\n`,
				400,
			],
			[
				"a body of thousands of chunks",
				`${CHUNKED}${"1\r\na\r\n".repeat(5000)}0\r\n\r\n`,
				400,
			],
			[
				"a chunk that is longer than its size",
				`${CHUNKED}3\r\nabcd\r\n0\r\n\r\n`,
				400,
			],
			["a chunk that ends with LF alone", `${CHUNKED}3\r\nabc\n0\r\n\r\n`, 400],
			["a chunk that ends with CR alone", `${CHUNKED}3\r\nabc\r0\r\n\r\n`, 400],
			[
				"a trailer that is no field",
				`${CHUNKED}0\r\nGET / HTTP/1.1\r\n\r\n`,
				400,
			],
			["a trailer that is folded", `${CHUNKED}0\r\nX: a\r\n b\r\n\r\n`, 400],
			[
				"a hundred trailers and one",
				`${CHUNKED}0\r\n${"X: a\r\n".repeat(101)}\r\n`,
				400,
			],
			[
				"trailers that are too long",
				`${CHUNKED}0\r\nX: ${"a".repeat(20_000)}`,
				400,
			],
		] as const) {
			it(`${what} (${status}), and reads nothing behind it`, () => {
				const { requests, refused, detail } = read(GET + text + NEXT);
				assert.equal(refused, status, detail);
				assert.equal(requests.length, 1);
				assert.match(detail ?? "", /^[A-Z].*[.?]$/);
			});
		}
	});

	it("says what is wrong with a field", () => {
		const detail = (...more: string[]) =>
			read(lines("GET / HTTP/1.1", "Host: a", ...more)).detail;
		assert.match(detail("X: a", " b") ?? "", /folded/);
		assert.match(detail("X : a") ?? "", /before|between/);
		assert.match(detail("X") ?? "", /no header field/);
		assert.match(detail("X: a\0") ?? "", /control character/);
	});

	describe("over random input", () => {
		it("never fails but by a refusal", () => {
			fc.assert(
				fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
					readRequests([bytes]);
				}),
				{ numRuns: 2000 },
			);
		});

		it("reads the same however the bytes are split", () => {
			fc.assert(
				fc.property(
					conversation(),
					fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
					(text, lengths) => {
						const whole = verdict(read(text));
						const bytes = bytesOf(text);
						const each = Array.from(bytes, (byte) => new Uint8Array([byte]));
						assert.deepEqual(verdict(readRequests(each)), whole);
						const pieces: Uint8Array[] = [];
						for (let at = 0; at < bytes.length; ) {
							const end = at + (lengths.next().value as number);
							pieces.push(bytes.slice(at, end));
							at = end;
						}
						assert.deepEqual(verdict(readRequests(pieces)), whole);
					},
				),
				{ numRuns: 500 },
			);
		});

		it("reads nothing behind what it refuses", () => {
			fc.assert(
				fc.property(conversation(), (text) => {
					const { requests, refused } = read(text);
					if (refused !== undefined) {
						assert.equal(read(text + NEXT).requests.length, requests.length);
					}
				}),
				{ numRuns: 1000 },
			);
		});
	});

	describe("beside Node's", () => {
		let node: NodeReader;
		before(async () => {
			node = await openNodeReader();
		});
		after(() => node.close());

		it("accepts nothing that Node refuses, and reads the same from it", async () => {
			let accepted = 0;
			await fc.assert(
				fc.asyncProperty(conversation(), async (text) => {
					const { requests } = read(text);
					accepted += requests.length;
					const theirs = await node.read(bytesOf(text));
					assert.deepEqual(
						requests.map(comparable),
						theirs.slice(0, requests.length).map(comparable),
					);
				}),
				{ numRuns: 1500 },
			);
			assert.ok(accepted > 500, `Only ${accepted} were accepted.`);
		});

		// Where a proxy before us could read otherwise, we are the stricter ones.
		for (const [what, text] of [
			["a repeated Host", lines("GET / HTTP/1.1", "Host: a", "Host: b")],
			["HTTP/2.0 in a request of HTTP/1", lines("GET / HTTP/2.0", "Host: a")],
			["HTTP/0.9", "GET /\r\n\r\n"],
			[
				"chunks of HTTP/1.0",
				`${lines("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked")}0\r\n\r\n`,
			],
			[
				"a coding that nobody undoes",
				`${lines(...POST, "Transfer-Encoding: gzip, chunked")}0\r\n\r\n`,
			],
			["a fragment in the target", lines("GET /a#b HTTP/1.1", "Host: a")],
			[
				"methods that the service has not",
				lines("PURGE / HTTP/1.1", "Host: a"),
			],
			["two empty lines", `\r\n\r\n${GET}`],
			[
				"a hundred fields and one",
				lines("GET / HTTP/1.1", "Host: a", ...Array<string>(100).fill("X: a")),
			],
		] as const) {
			it(`refuses ${what}, which Node takes`, async () => {
				assert.notEqual(read(text).refused, undefined);
				assert.equal((await node.read(bytesOf(text))).length, 1);
			});
		}
	});
});

/** What has to be the same however the bytes arrive; which of two faults is found first may differ. */
function verdict({ requests, refused }: Reading) {
	return { requests, isRefused: refused !== undefined };
}

function comparable({ url, ...rest }: ReadRequest) {
	return { ...rest, url: new URL(url).href };
}

/** Requests one after the other, most of them well formed, some damaged in one place. */
function conversation(): fc.Arbitrary<string> {
	return fc
		.array(fc.tuple(request(), damage()), { minLength: 1, maxLength: 3 })
		.map((all) => all.map(([text, damaged]) => damaged(text)).join(""));
}

function request(): fc.Arbitrary<string> {
	return fc
		.record({
			method: oftenFirst(
				"GET",
				"POST",
				"HEAD",
				"PUT",
				"OPTIONS",
				"BREW",
				"get",
			),
			space: oftenFirst(" ", "  ", "\t"),
			target: fc.oneof(
				fc.constantFrom("/", "/a?b=c", "/a/../b", "http://b/c", "*", "/%2e/"),
				fc.stringMatching(/^\/[!-~]{0,12}$/),
			),
			version: oftenFirst("HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", ""),
			host: oftenFirst(
				"Host: a\r\n",
				"Host: a:8000\r\n",
				"",
				"Host:\r\n",
				"Host: a\r\nHost: b\r\n",
			),
			fields: fc.array(field(), { maxLength: 4 }),
			body: body(),
		})
		.map(({ method, space, target, version, host, fields, body }) => {
			const head = `${method}${space}${target} ${version}\r\n${host}${fields.join("")}`;
			return `${head}${body.fields}\r\n${body.text}`;
		});
}

function field(): fc.Arbitrary<string> {
	return fc
		.tuple(
			oftenFirst(
				"X-Note",
				"Cookie",
				"Connection",
				"Accept",
				"x note",
				"Ünder",
				"",
			),
			oftenFirst(": ", ":", ":\t ", " : ", ""),
			fc.oneof(
				fc.stringMatching(/^[ -~]{0,10}$/),
				fc.constantFrom(
					"close",
					"keep-alive",
					"a\tb",
					"\xe4",
					"a\r\n b",
					"\x01",
					"a\n",
				),
			),
			oftenFirst("\r\n", "\n", "\r", " \r\n"),
		)
		.map((parts) => parts.join(""));
}

function body(): fc.Arbitrary<{ fields: string; text: string }> {
	const text = fc.stringMatching(/^[ -~\r\n]{0,20}$/);
	return fc.oneof(
		fc.constant({ fields: "", text: "" }),
		text.map((text) => ({
			fields: `Content-Length: ${text.length}\r\n`,
			text,
		})),
		fc
			.tuple(
				fc.array(
					fc.tuple(
						text.filter((text) => text.length > 0),
						oftenFirst("", ";a", ";a=b", ';a="b c"', " ", ";", ";a=\n"),
						oftenFirst("\r\n", "\n", ""),
					),
					{ maxLength: 3 },
				),
				oftenFirst("", "X: y\r\n", "X : y\r\n", " X: y\r\n"),
				oftenFirst(
					"Transfer-Encoding: chunked\r\n",
					"Transfer-Encoding: Chunked \r\n",
					"Transfer-Encoding: gzip, chunked\r\n",
					"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
				),
			)
			.map(([chunks, trailer, fields]) => ({
				fields,
				text: `${chunks
					.map(
						([text, extension, end]) =>
							`${text.length.toString(16)}${extension}\r\n${text}${end}`,
					)
					.join("")}0\r\n${trailer}\r\n`,
			})),
	);
}

/** Nearly always the first. */
function oftenFirst(first: string, ...others: string[]): fc.Arbitrary<string> {
	return fc.oneof(
		{ weight: 25, arbitrary: fc.constant(first) },
		{ weight: 1, arbitrary: fc.constantFrom(first, ...others) },
	);
}

/** What puts, changes or takes one character somewhere; most often nothing. */
function damage(): fc.Arbitrary<(text: string) => string> {
	const edit = fc
		.tuple(
			fc.double({ min: 0, max: 1, noNaN: true }),
			fc.constantFrom(0, 1),
			fc.constantFrom("", "\r", "\n", "\0", " ", ":", "\t", ",", "0", "\x80"),
		)
		.map(([place, taken, put]) => (text: string) => {
			const at = Math.floor(place * text.length);
			return text.slice(0, at) + put + text.slice(at + taken);
		});
	return fc.oneof(
		{ weight: 3, arbitrary: fc.constant((text: string) => text) },
		{ weight: 1, arbitrary: edit },
	);
}

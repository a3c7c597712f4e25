/** Text: encoding, decoding, URLs, base64, and copies of values. */
import { listed, tabled, type WebCase } from "./web-case.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

/** Faulty UTF-8 after the tests of the Encoding Standard, and where it is cut. */
const UTF8: Readonly<Record<string, Uint8Array>> = {
	nothing: bytes(),
	ASCII: bytes(0x61, 0x00, 0x7f),
	"two, three and four bytes": bytes(
		0xc3,
		0xa4,
		0xe2,
		0x82,
		0xac,
		0xf0,
		0x9f,
		0x92,
		0xa9,
	),
	"a byte order mark": bytes(0xef, 0xbb, 0xbf, 0x61),
	"two byte order marks": bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf),
	"a lone continuation": bytes(0x61, 0x80, 0x62),
	"0xff and 0xfe": bytes(0xff, 0xfe, 0x61),
	"an overlong slash": bytes(0xc0, 0xaf),
	"an overlong slash in three": bytes(0xe0, 0x80, 0xaf),
	"half of a surrogate pair": bytes(0xed, 0xa0, 0x80),
	"above U+10FFFF": bytes(0xf4, 0x90, 0x80, 0x80),
	"a cut character": bytes(0x61, 0xf0, 0x9f, 0x92),
	"a cut character and more": bytes(0xf0, 0x9f, 0x92, 0x61, 0xe2, 0x82),
	"a lead before a lead": bytes(0xe2, 0xf0, 0x9f, 0x92, 0xa9),
	"C1 as two bytes": bytes(0xc1, 0xbf),
};

const decoding: Record<string, WebCase> = {};
for (const [name, input] of Object.entries(UTF8)) {
	for (const fatal of [false, true]) {
		for (const ignoreBOM of [false, true]) {
			decoding[
				`decodes ${name}${fatal ? ", fatal" : ""}${ignoreBOM ? ", with its mark" : ""}`
			] = (web) =>
				new web.TextDecoder("utf-8", { fatal, ignoreBOM }).decode(input);
		}
	}
	decoding[`decodes ${name} byte by byte`] = (web) => {
		const decoder = new web.TextDecoder();
		const parts = Array.from(input, (byte) =>
			decoder.decode(bytes(byte), { stream: true }),
		);
		return [...parts, decoder.decode(), decoder.decode(input)];
	};
	decoding[`decodes ${name} in two halves, fatal`] = (web) => {
		const decoder = new web.TextDecoder("utf8", { fatal: true });
		const middle = input.length >> 1;
		return (
			decoder.decode(input.subarray(0, middle), { stream: true }) +
			decoder.decode(input.subarray(middle))
		);
	};
}

const LABELS = [
	"utf8",
	" UTF-8\n",
	"unicode-1-1-utf-8",
	"latin1",
	"ISO-8859-1",
	"ascii",
	"windows-1252",
	"no-such-encoding",
	"",
];

/** After the URL Standard's urltestdata.json: what has gone wrong in implementations. */
const URLS = [
	"http://example.com",
	"HTTP://EXAMPLE.com:80/a/../b/./c?x=1&y=ä#z ",
	"https://user:pa%20ss@example.com:8443/%7Efoo/%zz",
	"http://[::1]:3000/",
	"http://[2001:db8:0:0:1:0:0:1]/",
	"http://[::ffff:192.168.0.1]/",
	"http://[1::2::3]/",
	"http://0x7f.1/",
	"http://256.256.256.256/",
	"http://1.2.3.4.5/",
	"http://example.com:65536/",
	"http://example.com:/",
	"http://exa mple.com/",
	"http://ex%41mple.com/",
	"http://a<b/",
	"http://",
	"http:///example.com",
	"http:\\\\example.com\\a\\b",
	"http://example.com/\t\nfoo",
	"  http://example.com/  ",
	"http://example.com/%2e%2E/a/%2e",
	"http://example.com/a b?c d#e f",
	"http://example.com/?q='\"<>`",
	"http://example.com/#'\"<>`",
	"file:///C:/a/../..",
	"file://host/share",
	"mailto:someone@example.com",
	"mongodb://user:p%40ss@a.example:27017,b.example/db?replicaSet=rs0",
	"mongodb+srv://cluster.example/db",
	"data:text/plain,hello world ",
	"javascript:alert(1)",
	"//example.com",
	"/path",
	"",
	"about:blank",
	"non-special://[::1]/x y",
	"non-special:opaque path",
	"ws://example.com:80",
	"wss://example.com:443",
	"http://example.com/💩?💩#💩",
	"http://example.com/\ud800",
];

const RELATIVE = [
	"a/b",
	"../c",
	"./",
	"?x",
	"#y",
	"//other.example/p",
	"/absolute",
	"\\back\\slash",
	"http:relative",
	"https:other",
	"..//x/../y",
	"",
];

const QUERIES = [
	"",
	"?a=1&b=2&a=3",
	"a=b=c&d",
	"&&a&&=b&",
	"a=%C3%A4+%2B&%FF=%zz",
	"a b=c d",
	"ä=€&💩=1",
	"a=1#x",
];

const hrefOf = (url: URL) => [
	url.href,
	url.origin,
	url.protocol,
	url.username,
	url.password,
	url.host,
	url.hostname,
	url.port,
	url.pathname,
	url.search,
	url.hash,
	[...url.searchParams],
];

const SETTERS: Readonly<Record<string, [keyof URL, string]>> = {
	"a pathname with a line break": ["pathname", "/a\nb?c#d"],
	"a search": ["search", "x=ä y"],
	"a port": ["port", "8080abc"],
	"a faulty port": ["port", "x"],
	"the scheme's port": ["port", "443"],
	"a host": ["host", "other.example:99"],
	"a faulty host": ["host", "a b"],
	"another scheme": ["protocol", "http"],
	"a scheme of another kind": ["protocol", "mailto"],
	"a hash": ["hash", "#ü"],
	"a username": ["username", "a:b@c"],
};

const BASE64 = [
	"",
	"YQ==",
	"YQ",
	"YWI=",
	" Y Q\n= = ",
	"YQ=",
	"Y",
	"YQ===",
	"Y=Q=",
	"-_8=",
	"+/8=",
	"ä",
	"ab\u0000c",
	"/////w==",
];

const CLONED: Readonly<Record<string, () => unknown>> = {
	"a draft": () => ({
		lines: [{ quantity: "1", net: null, notes: undefined }],
		isGross: true,
		count: -0,
	}),
	"dates, maps and sets": () => [
		new Date(0),
		[...new Map([[{ a: 1 }, new Set([1, "b"])]])].map(String),
	],
	"a sparse list with properties": () =>
		Object.assign(new Array(2), { 1: 3, x: 1 }),
	"__proto__ as a key": () => JSON.parse('{"__proto__":{"a":1}}'),
	bytes: () => [new Uint8Array([1, 2, 3]).subarray(1), new ArrayBuffer(2)],
	"a function": () => ({ a: () => 1 }),
	"a symbol": () => Symbol("a"),
	"a promise": () => Promise.resolve(),
	"an object of a class": () =>
		new (class Invoice {
			number = 1;
		})(),
};

export const TEXT_CASES: Readonly<Record<string, WebCase>> = {
	...decoding,
	...listed("decodes with the label", LABELS, (web, label) => {
		const decoder = new web.TextDecoder(label);
		return [decoder.encoding, decoder.decode(bytes(0x61, 0x7e))];
	}),
	"decodes latin1": (web) =>
		new web.TextDecoder("latin1").decode(
			// Node takes 0x80 to 0x9F as ISO 8859-1 has them; the standard says windows-1252.
			Uint8Array.from({ length: 256 }, (_, byte) => byte).filter(
				(byte) => byte < 0x80 || byte > 0x9f,
			),
		),
	"decodes buffers and views": (web) => {
		const { buffer } = bytes(0x61, 0x62, 0x63, 0x64);
		return [
			new web.TextDecoder().decode(buffer),
			new web.TextDecoder().decode(new DataView(buffer, 1, 2)),
			new web.TextDecoder().decode(new Uint16Array(buffer)),
		];
	},
	"decodes no text": (web) =>
		new web.TextDecoder().decode("text" as unknown as Uint8Array),
	"encodes halves of surrogate pairs": (web) => [
		new web.TextEncoder().encode("a\ud800b\udc00💩ä"),
		new web.TextEncoder().encode(),
		new web.TextEncoder().encode(undefined),
	],
	"encodes into what has room": (web) =>
		[0, 1, 2, 3, 4, 5, 6, 7, 8].map((length) => {
			const target = new Uint8Array(length);
			return [new web.TextEncoder().encodeInto("aä€💩", target), target];
		}),

	...listed("parses the URL", URLS, (web, text) => hrefOf(new web.URL(text))),
	...listed("can parse the URL", URLS, (web, text) => web.URL.canParse(text)),
	...listed("resolves", RELATIVE, (web, text) =>
		hrefOf(new web.URL(text, "http://base.example:8080/d/e/f?g#h")),
	),
	...tabled(
		Object.fromEntries(
			Object.entries(SETTERS).map(([name, input]) => [
				`sets ${name} of a URL`,
				input,
			]),
		),
		(web, [property, value]) => {
			const url = new web.URL("https://u:p@host.example:1/p?q#f");
			Object.assign(url, { [property]: value });
			return hrefOf(url);
		},
	),
	...listed("parses the query", QUERIES, (web, text) => {
		const query = new web.URLSearchParams(text);
		return [[...query], String(query), query.get("a"), query.getAll("a")];
	}),
	"changes a query and its URL": (web) => {
		const url = new web.URL("http://a.example/?b=1&a=2&b=3");
		url.searchParams.append("c", "ä &");
		url.searchParams.delete("b");
		url.searchParams.set("a", "4");
		url.searchParams.sort();
		return [url.href, url.searchParams.has("b"), url.searchParams.size];
	},
	"makes a query of pairs and records": (web) => [
		String(
			new web.URLSearchParams([
				["a", "1"],
				["a", "2"],
			]),
		),
		String(new web.URLSearchParams({ a: "1", b: "ä" })),
	],

	...listed("reads the base64", BASE64, (web, text) =>
		Array.from(web.atob(text), (each) => each.charCodeAt(0)),
	),
	"writes base64": (web) =>
		web.btoa(String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))),
	"writes no base64 above U+00FF": (web) => web.btoa("€"),

	...tabled(
		Object.fromEntries(
			Object.entries(CLONED).map(([name, make]) => [`copies ${name}`, make]),
		),
		(web, make) => {
			const value = make();
			const copy = web.structuredClone(value);
			return [
				copy,
				copy === value,
				Object.getPrototypeOf(copy) === Object.getPrototypeOf(value),
			];
		},
	),
	"copies what refers to itself": (web) => {
		const value: Record<string, unknown> = { list: [] };
		(value.list as unknown[]).push(value);
		const copy = web.structuredClone(value);
		return (copy.list as unknown[])[0] === copy;
	},
	"copies errors with their cause": (web) => {
		const copy = web.structuredClone(new RangeError("m", { cause: { a: 1 } }));
		return [copy.name, copy.message, copy.cause, copy instanceof RangeError];
	},
	"has exceptions with names and codes": (web) => {
		const error = new web.DOMException("m", "AbortError");
		return [
			error.name,
			error.code,
			error.message,
			error instanceof Error,
			String(error),
		];
	},
};

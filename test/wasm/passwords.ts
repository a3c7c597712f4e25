/** Passwords of all kinds that SASLprep tells apart (RFC 4013, 3), and a sample of all code points. */

const CODE_POINT_MAX = 0x10ffff;

/** A prime, so that the sample meets all kinds of blocks. */
const STEP = 61;

function isSurrogate(codePoint: number): boolean {
	return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

export const PASSWORDS: readonly string[] = [
	"",
	"stadtflitzer",
	"with space and ~!@#$%^&*()",
	"tab\tcharacter",
	"\u007f",
	"I\u00adX", // soft hyphen: nothing is left of it
	"USER",
	"\u00aa", // becomes "a"
	"\u2168", // becomes "IX"
	"\u0007",
	"\u0627\u0031", // right-to-left must end so too
	"\u0627\u0031\u0628",
	"\u0627a",
	"Größe",
	"Gro\u0308ße",
	"\u00a0nicht\u2003umbrechen",
	"\u{1f600}", // unassigned in Unicode 3.2
	"\ufdd0",
	"\ud800",
	"Łukasz Wójcik Çağrı Ω",
	...Array.from(
		{ length: Math.floor(CODE_POINT_MAX / STEP) },
		(_, index) => index * STEP,
	)
		.filter((codePoint) => !isSurrogate(codePoint))
		.filter((codePoint) => codePoint < 0x3400 || codePoint % 7 === 0)
		.map((codePoint) => String.fromCodePoint(codePoint)),
];

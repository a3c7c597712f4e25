/** Reads of a shared library (ELF, 64 bits, little-endian) what it looks for in others. */

// Types of sections, and of symbols (ELF specification; the GNU ones from glibc's elf.h).
const DYNAMIC_SYMBOLS = 11;
const VERSIONS_NEEDED = 0x6ffffffe;
const VERSION_OF_SYMBOL = 0x6fffffff;
const THREAD_LOCAL = 6;

const SYMBOL_BYTES = 24;
const HIDDEN_VERSION = 0x8000;

/**
 * @typedef {object} UndefinedSymbol
 * @property {string} name
 * @property {string} library in which it is looked for: "libc.so.6"
 * @property {string} version "GLIBC_2.34"
 * @property {boolean} isThreadLocal
 */

/**
 * The symbols with a version that a library takes from others.
 *
 * @param {Uint8Array} bytes
 * @returns {UndefinedSymbol[]}
 * @throws {Error} where it is no such library
 */
export function undefinedSymbols(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const u16 = (at) => view.getUint16(at, true);
	const u32 = (at) => view.getUint32(at, true);
	const u64 = (at) => Number(view.getBigUint64(at, true));
	// "\x7fELF", 64 bits, little-endian
	if (u32(0) !== 0x464c457f || bytes[4] !== 2 || bytes[5] !== 1) {
		throw new Error("This is no ELF library of 64 bits, little-endian.");
	}
	const textAt = (at) =>
		new TextDecoder("latin1").decode(bytes.subarray(at, bytes.indexOf(0, at)));
	const sectionsAt = u64(0x28);
	const sectionBytes = u16(0x3a);
	const sections = Array.from({ length: u16(0x3c) }, (_, index) => {
		const at = sectionsAt + index * sectionBytes;
		return {
			type: u32(at + 4),
			offset: u64(at + 0x18),
			size: u64(at + 0x20),
			link: u32(at + 0x28),
			count: u32(at + 0x2c),
		};
	});
	const sectionOf = (type) => {
		const found = sections.find((section) => section.type === type);
		if (found === undefined) {
			throw new Error("The library has no table of versioned symbols.");
		}
		return found;
	};
	const symbols = sectionOf(DYNAMIC_SYMBOLS);
	const names = sections[symbols.link].offset;
	const needed = sectionOf(VERSIONS_NEEDED);
	const neededNames = sections[needed.link].offset;

	/** @type {Map<number, { library: string, version: string }>} */
	const versions = new Map();
	for (let at = needed.offset, left = needed.count; left > 0; left--) {
		const library = textAt(neededNames + u32(at + 4));
		let entry = at + u32(at + 8);
		for (let count = u16(at + 2); count > 0; count--) {
			const version = textAt(neededNames + u32(entry + 8));
			versions.set(u16(entry + 6), { library, version });
			entry += u32(entry + 12);
		}
		at += u32(at + 12);
	}

	const versionsOfSymbols = sectionOf(VERSION_OF_SYMBOL).offset;
	return Array.from({ length: symbols.size / SYMBOL_BYTES }, (_, index) => {
		const at = symbols.offset + index * SYMBOL_BYTES;
		const version = versions.get(
			u16(versionsOfSymbols + index * 2) & ~HIDDEN_VERSION,
		);
		const isUndefined = u16(at + 6) === 0;
		return isUndefined && version
			? {
					name: textAt(names + u32(at)),
					...version,
					isThreadLocal: (bytes[at + 4] & 0xf) === THREAD_LOCAL,
				}
			: undefined;
	}).filter((symbol) => symbol !== undefined);
}

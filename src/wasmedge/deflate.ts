/** The one deflate by the host's zlib, whose output is what the portable one gives. */
import { DEFLATE_PARAMETERS, type Deflate } from "../documents/pdf/deflate.ts";

const { level, windowBits, memoryLevel } = DEFLATE_PARAMETERS;

/** Compresses natively, with the same parameters as everywhere. */
export const nativeDeflate: Deflate = (bytes, effort) =>
	host.deflate(bytes, "zlib", level[effort], windowBits, memoryLevel);

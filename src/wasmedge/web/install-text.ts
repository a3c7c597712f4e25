/** Installs TextEncoder and TextDecoder: libraries make theirs while they are loaded, so this comes before them. */
import { defineGlobals } from "./define-globals.ts";
import { TextDecoder, TextEncoder } from "./text-encoding.ts";

defineGlobals({ TextDecoder, TextEncoder });

/**
 * Installs the web APIs by being imported: the program's first import, since a
 * bundle runs its modules in the order of their imports, and many a library reads
 * a global while it is loaded. QuickJS itself has queueMicrotask, atob, btoa and
 * DOMException; timers are installed by ../timers.ts.
 */
import "./install-text.ts";
import { AbortController, AbortSignal } from "./abort.ts";
import { console } from "./console.ts";
import { crypto } from "./crypto.ts";
import { CryptoKey } from "./crypto-key.ts";
import { defineGlobals } from "./define-globals.ts";
import { Event, EventTarget } from "./event-target.ts";
import { Headers } from "./headers.ts";
import { performance } from "./performance.ts";
import {
	ByteLengthQueuingStrategy,
	CountQueuingStrategy,
	ReadableStream,
	ReadableStreamDefaultReader,
	TransformStream,
	WritableStream,
} from "./readable-stream.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { structuredClone } from "./structured-clone.ts";
import { URL, URLSearchParams } from "./url.ts";

defineGlobals({
	AbortController,
	AbortSignal,
	ByteLengthQueuingStrategy,
	console,
	CountQueuingStrategy,
	crypto,
	CryptoKey,
	Event,
	EventTarget,
	Headers,
	performance,
	ReadableStream,
	ReadableStreamDefaultReader,
	Request,
	Response,
	structuredClone,
	TransformStream,
	URL,
	URLSearchParams,
	WritableStream,
});

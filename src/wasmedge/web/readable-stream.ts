/** Streams: web-streams-polyfill's, which passes the web platform's tests. */
import { ReadableStream } from "web-streams-polyfill";

export {
	ByteLengthQueuingStrategy,
	CountQueuingStrategy,
	ReadableStream,
	ReadableStreamDefaultReader,
	TransformStream,
	WritableStream,
} from "web-streams-polyfill";

/** A stream that gives `bytes` and ends; nothing at all where there are none. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
	return new ReadableStream<Uint8Array>({
		start(controller) {
			if (bytes.length > 0) {
				controller.enqueue(bytes);
			}
			controller.close();
		},
	});
}

/** Whether somebody has read from the stream or cancelled it; the standard has no name for it, the polyfill keeps it so. */
export function isDisturbed(stream: ReadableStream): boolean {
	return (stream as unknown as { _disturbed: boolean })._disturbed;
}

/** URL and URLSearchParams: whatwg-url's, which the MongoDB driver brings along; there is one copy of it. */
export { URL, URLSearchParams } from "whatwg-url";

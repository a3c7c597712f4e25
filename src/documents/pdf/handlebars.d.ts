/** Handlebars without its Node entry, which reaches for the file system; and its run time alone. */
declare module "handlebars/dist/cjs/handlebars.js" {
	import Handlebars from "handlebars";
	export default Handlebars;
}

declare module "handlebars/dist/cjs/handlebars.runtime.js" {
	import Handlebars from "handlebars";
	export default Handlebars;
}

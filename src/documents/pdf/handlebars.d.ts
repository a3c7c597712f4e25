/** Handlebars without its Node entry, which reaches for the file system. */
declare module "handlebars/dist/cjs/handlebars.js" {
	import Handlebars from "handlebars";
	export default Handlebars;
}

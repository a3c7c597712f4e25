/** The tagged structure: what a screen reader hears, in its order (ISO 32000-1, 14.7 and 14.8). */
import type { StructureAttributes, StructureType } from "./canvas.ts";
import { type PdfFile, textString } from "./document.ts";

type ElementType = StructureType | "Document";

export interface StructureElement {
	readonly id: number;
	readonly type: ElementType;
	readonly attributes: StructureAttributes;
	readonly parent: number;
	/** Object of the page that its first content is on; 0 while it has none. */
	page: number;
	/** Entries of K, as they are written: marked content, elements, annotations. */
	kids: string;
	kidCount: number;
	/** What a Figure takes up on its page: left, bottom, right, top. */
	box: [number, number, number, number] | undefined;
}

export interface Structure {
	/** The innermost open element; set by `begin` and `end` alone. A field and no getter: it is read for all that is drawn. */
	current: StructureElement;
	begin(type: StructureType, attributes: StructureAttributes): void;
	end(): void;
	/** Takes marked content on `page` into the current element; returns its MCID. */
	mark(page: StructurePage): number;
	/** Takes a link annotation into the current element; returns its StructParent. */
	annotation(annotation: number, page: StructurePage): number;
	addPage(object: number): StructurePage;
	/** Writes all of it as `root`, the StructTreeRoot. */
	finish(root: number): void;
}

export interface StructurePage {
	readonly object: number;
	/** Its key in the parent tree. */
	readonly key: number;
	/** Element by MCID. */
	readonly owners: number[];
}

export function createStructure(file: PdfFile, root: number): Structure {
	const document = createElement(file.reserve(), "Document", {}, root);
	const open: StructureElement[] = [document];
	/** By key: the elements of a page's marked content, or the one of an annotation. */
	const parentTree: (readonly number[] | number)[] = [];

	function close(element: StructureElement): void {
		file.object(element.id, elementBody(element));
	}

	const structure: Structure = {
		current: document,
		begin(type, attributes) {
			const element = createElement(
				file.reserve(),
				type,
				attributes,
				structure.current.id,
			);
			addKid(structure.current, `${element.id} 0 R`);
			open.push(element);
			structure.current = element;
		},
		end() {
			const parent = open[open.length - 2];
			if (parent === undefined) {
				throw new Error(
					"end() was called with no structure element open: every end() needs its begin().",
				);
			}
			close(structure.current);
			open.pop();
			structure.current = parent;
		},
		mark(page) {
			const identifier = page.owners.push(structure.current.id) - 1;
			if (structure.current.page === 0) {
				structure.current.page = page.object;
			}
			addKid(
				structure.current,
				structure.current.page === page.object
					? `${identifier}`
					: `<</Type/MCR/Pg ${page.object} 0 R/MCID ${identifier}>>`,
			);
			return identifier;
		},
		annotation(annotation, page) {
			addKid(
				structure.current,
				`<</Type/OBJR/Pg ${page.object} 0 R/Obj ${annotation} 0 R>>`,
			);
			return parentTree.push(structure.current.id) - 1;
		},
		addPage(object) {
			const owners: number[] = [];
			return { object, key: parentTree.push(owners) - 1, owners };
		},
		finish(root) {
			if (structure.current !== document) {
				throw new Error(
					`The structure element ${structure.current.type} was begun and never ended: call end() before finish().`,
				);
			}
			close(document);
			file.object(
				root,
				`<</Type/StructTreeRoot/K ${document.id} 0 R/ParentTree<</Nums[${parentTree.map(parentTreeEntry).join("")}]>>/ParentTreeNextKey ${parentTree.length}>>`,
			);
		},
	};
	return structure;
}

function createElement(
	id: number,
	type: ElementType,
	attributes: StructureAttributes,
	parent: number,
): StructureElement {
	return {
		id,
		type,
		attributes,
		parent,
		page: 0,
		kids: "",
		kidCount: 0,
		box: undefined,
	};
}

function addKid(element: StructureElement, kid: string): void {
	element.kids += element.kidCount === 0 ? kid : ` ${kid}`;
	element.kidCount++;
}

function elementBody(element: StructureElement): string {
	const { type, kids, kidCount, page } = element;
	let body = `<</S/${type}/P ${element.parent} 0 R`;
	if (page !== 0) {
		body += `/Pg ${page} 0 R`;
	}
	if (kidCount === 1) {
		body += `/K ${kids}`;
	} else if (kidCount > 1) {
		body += `/K[${kids}]`;
	}
	return `${body}${attributeEntries(element)}>>`;
}

function attributeEntries({ attributes, box, type }: StructureElement): string {
	let entries = "";
	if (attributes.alternative !== undefined) {
		entries += `/Alt${textString(attributes.alternative)}`;
	}
	if (attributes.scope !== undefined || attributes.columnSpan !== undefined) {
		entries += "/A<</O/Table";
		if (attributes.scope !== undefined) {
			entries += `/Scope/${attributes.scope}`;
		}
		if (attributes.columnSpan !== undefined) {
			entries += `/ColSpan ${attributes.columnSpan}`;
		}
		entries += ">>";
	} else if (type === "Figure" && box !== undefined) {
		entries += `/A<</O/Layout/Placement/Block/BBox[${box.join(" ")}]>>`;
	}
	return entries;
}

function parentTreeEntry(
	entry: readonly number[] | number,
	key: number,
): string {
	return typeof entry === "number"
		? `${key} ${entry} 0 R `
		: `${key}[${entry.map((id) => `${id} 0 R`).join(" ")}]`;
}

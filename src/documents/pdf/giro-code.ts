/** The GiroCode: a credit transfer as a QR code that banking apps read (EPC069-12, version 2). */
import type { Snapshot } from "../../invoice/snapshot.ts";
import { isZero } from "./format.ts";

/** Characters of the beneficiary's name. */
const NAME_LENGTH_MAX = 70;

/** Characters of the remittance information. */
const REMITTANCE_LENGTH_MAX = 140;

/** Bytes of all of it (EPC069-12, 3.1). */
const PAYLOAD_BYTES_MAX = 331;

/** The largest amount is 999999999.99. */
const AMOUNT_INTEGER_DIGITS_MAX = 9;

/** A creditor reference of ISO 11649. */
const CREDITOR_REFERENCE = /^RF[0-9]{2}[A-Z0-9]{1,21}$/;

/**
 * What the code of an invoice says, or undefined where there is nothing to
 * transfer: only amounts in euro that the customer owes, to an IBAN. A credit
 * note (381) and a self-billed invoice (389) are paid out by their issuer.
 */
export function giroCode(invoice: Snapshot): string | undefined {
	const { type, currency, payment, seller, number } = invoice;
	const { payable } = invoice.totals;
	const transfer = payment?.creditTransfer;
	if (
		type === "381" ||
		type === "389" ||
		currency !== "EUR" ||
		transfer?.iban === undefined ||
		payable.startsWith("-") ||
		isZero(payable) ||
		payable.indexOf(".") > AMOUNT_INTEGER_DIGITS_MAX ||
		!isTransfer(payment?.means)
	) {
		return undefined;
	}
	const reference = (payment?.reference ?? number).slice(
		0,
		REMITTANCE_LENGTH_MAX,
	);
	const isStructured = CREDITOR_REFERENCE.test(reference);
	const payload = [
		"BCD",
		"002",
		"1",
		"SCT",
		transfer.bic ?? "",
		oneLine(transfer.accountName ?? seller.name).slice(0, NAME_LENGTH_MAX),
		transfer.iban,
		`EUR${payable}`,
		"",
		isStructured ? reference : "",
		isStructured ? "" : oneLine(reference),
	]
		.join("\n")
		.trimEnd();
	return utf8Length(payload) > PAYLOAD_BYTES_MAX ? undefined : payload;
}

/** UNTDID 4461: credit transfer, and SEPA credit transfer, which is meant where an IBAN stands alone. */
function isTransfer(means: string | undefined): boolean {
	return means === undefined || means === "30" || means === "58";
}

function oneLine(text: string): string {
	return text.replaceAll("\n", " ");
}

function utf8Length(text: string): number {
	let length = 0;
	for (const character of text) {
		const codePoint = character.codePointAt(0) ?? 0;
		length +=
			codePoint < 0x80
				? 1
				: codePoint < 0x800
					? 2
					: codePoint < 0x10000
						? 3
						: 4;
	}
	return length;
}

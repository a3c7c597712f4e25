/** Example drafts: what the documentation shows and the quick start loads. A test compares them with the golden drafts. */

/** A car sharing firm's invoice to a private customer. */
export const CAR_SHARING_DRAFT = {
	loginName: "anna.schmidt",
	series: "RE-2026",
	type: "380",
	issueDate: "2026-11-24",
	currency: "EUR",
	language: "de",
	seller: {
		name: "Stadtflitzer Carsharing GmbH",
		address: {
			line1: "Lindenallee 12",
			postalCode: "45127",
			city: "Essen",
			country: "DE",
		},
		vatIdentifier: "DE123456788",
		taxNumber: "111/5721/1234",
		registration: "Amtsgericht Essen, HRB 12345",
		contact: {
			name: "Buchhaltung",
			phone: "+49 201 555010",
			email: "rechnung@stadtflitzer.example",
		},
	},
	buyer: {
		name: "Anna Schmidt",
		address: {
			line1: "Am Markt 3",
			postalCode: "44787",
			city: "Bochum",
			country: "DE",
		},
	},
	delivery: {
		period: {
			start: "2026-11-01",
			end: "2026-11-20",
		},
	},
	lines: [
		{
			name: "Kleinwagen, Buchung 4711",
			description: "VW ID.3, BO-AB 123E",
			quantity: "3",
			unit: "DAY",
			price: "49.90",
			vat: {
				category: "S",
				rate: "19",
			},
			allowances: [
				{
					amount: "10.00",
					reason: "Treuerabatt",
				},
			],
		},
		{
			name: "Kindersitz",
			quantity: "1",
			unit: "C62",
			price: "7.50",
			vat: {
				category: "S",
				rate: "19",
			},
		},
	],
	payment: {
		dueDate: "2026-12-08",
		terms: "Zahlbar innerhalb von 14 Tagen ohne Abzug.",
		creditTransfer: {
			iban: "DE89370400440532013000",
			bic: "COBADEFFXXX",
			accountName: "Stadtflitzer Carsharing GmbH",
		},
	},
	notes: [
		{
			text: "Vielen Dank für Ihre Buchung.",
		},
	],
};

/** A craftsman's invoice to a business that owes the VAT itself (§ 13b UStG). */
export const CRAFTSMAN_DRAFT = {
	loginName: "bau.union",
	issueDate: "2026-11-20",
	seller: {
		name: "Malerbetrieb Krause e. K.",
		management: "Inhaberin: Birgit Krause",
		registration: "Amtsgericht Münster, HRA 10293",
		taxNumber: "336/5023/0148",
		vatIdentifier: "DE136695976",
		address: {
			line1: "Handwerkerhof 7",
			postalCode: "48155",
			city: "Münster",
			country: "DE",
		},
		contact: {
			phone: "+49 251 667788",
			email: "buero@maler-krause.example",
		},
		website: "www.maler-krause.example",
	},
	buyer: {
		name: "Bau-Union Westfalen AG",
		vatIdentifier: "DE129273398",
		address: {
			line1: "Industrieweg 14",
			postalCode: "44147",
			city: "Dortmund",
			country: "DE",
		},
	},
	delivery: {
		date: "2026-11-13",
	},
	lines: [
		{
			name: "Brandschutzanstrich Stahlstützen",
			quantity: "48",
			unit: "MTR",
			price: "61.25",
			vat: {
				category: "AE",
			},
		},
	],
	payment: {
		dueDate: "2026-12-20",
		creditTransfer: {
			iban: "DE75512108001245126199",
			accountName: "Malerbetrieb Krause e. K.",
		},
	},
};

/** Takes the car sharing invoice back as a whole. */
export const CANCELLATION = {
	reason: "Buchung 4711 wurde nicht angetreten.",
};

/** Credits the second line of the car sharing invoice. */
export const CORRECTION = {
	reason: "Der Kindersitz war nicht im Fahrzeug.",
	lines: [{ id: "2" }],
};

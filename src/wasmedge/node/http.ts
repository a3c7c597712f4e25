/** `http`: requests to others, which the driver makes for cloud credentials only. Refused. */

function refused(): never {
	throw new Error(
		"Requests by `http` are not possible here: the service authenticates by user name and password (SCRAM), not by a cloud's credentials.",
	);
}

export { refused as get, refused as request };

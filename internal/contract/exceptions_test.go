package contract_test

import "strings"

// absent are members of documented samples that the sandbox never answers,
// with the reason; a trailing * stands for the rest of a path.
func absent() map[string]string {
	return map[string]string{
		// Users.
		".calendars*": "no calendars here", ".isADSearchAvailable": "no directory here", ".invitedBy*": "nobody is invited",
		".lastAvatarUpdateDate": "no avatars here", ".sponsoring*": "sample of 2016", ".visibleBy": "sample of 2016",
		".profile": "sample of 2016, now profiles", ".profile.*": "sample of 2016, now profiles", ".failedLoginAttempts": "not shown",
		".firstLoginDate": "of users who logged in", ".lastLoginDate": "of users who logged in",
		".loggedSince": "of users who logged in", ".phoneNumbers[]*": "depends on the user",
		".nickName": "optional", ".title": "optional", ".jobTitle": "optional",
		".language": "optional", ".timezone": "optional", ".createdByAdmin*": "of users made by an administrator",
		".provisioningNeeded[]*": "no component to provision", ".offerTechnicalDescription": "optional",
		".hasConference": "undocumented member of the login sample", ".isBundle": "undocumented member of the login sample",
		".businessSpecific*": "undocumented member of the login sample",
		// Systems.
		".allocatedNumbers.devices[].userId": "the door phone belongs to nobody",
		".jid_pbxagent_password_activating":  "while activating", ".activatingTransactionId": "while activating",
		".pbxNumberingTranslator[]*": "no translations", ".searchResultOrder*": "undocumented member", ".usePbxMainBundlePrefix": "undocumented member",
		".jid_pbxpcg": "of Cloud PBXs", ".jid_pbxpcg_password": "of Cloud PBXs", ".statusUpdatedDate": "undocumented member",
		// Devices.
		".bannedDevice*": "no device is banned here", ".cert_sip": "no certificates here",
		".modules[]*": "depends on the device", ".ipei": "of DECT handsets",
		".dectVersion": "of DECT handsets", ".phoneNumberId": "of assigned devices", ".shortNumber": "of assigned devices",
		".userId": "of assigned devices", ".userDisplayName": "of assigned devices", ".password": "of generic SIP devices",
		".systemKeys*": "empty in the sample", ".keys*": "of one model",
		// Welcomes and trunks.
		".welcomeServicesManualMode*": "a new welcome has no services, a service none of its own", ".hybrid_specific_data*": "of hybrid trunks",
		".peeringGroupId": "of other trunks", ".routeInternalCallsToPeerAllowed": "of other trunks", ".cloudPbxs[]*": "no Cloud PBX uses a hybrid trunk here",
		// Offers and subscriptions.
		".latin_name": "of one sample", ".zuora*": "billing ids", ".technicalDescription": "optional",
	}
}

// excused answers the exception that covers a missing member, "" when none
// does.
func excused(path string, exceptions map[string]string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, ".data"), "[]")
	for _, prefix := range []string{".loggedInUser", ".profiles[]", ".report"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok && strings.HasPrefix(rest, ".") {
			path = rest
		}
	}
	for pattern := range exceptions {
		head, open := strings.CutSuffix(pattern, "*")
		if path == pattern || (open && strings.HasPrefix(path, head)) {
			return pattern
		}
	}
	return ""
}

// unprovoked are documented answers that no step compares, and why.
func unprovoked() map[string]string {
	return map[string]string{
		"massprovisioning/GetUsersTemplate":          "the sample stands for a CSV file",
		"rvcpprovisioning/GetGroupVoicemailGreeting": "the sample stands for audio",
		"subscription/GetInvoiceFile":                "the sample stands for a PDF",
	}
}

// dependent are members that a real account may lack beside those of absent:
// what they tell of depends on how its first user, number, ... is set up.
func dependent() map[string]string {
	return map[string]string{
		".jid_*": "of assigned numbers", ".number": "of numbers with a DDI", ".numberE164": "of numbers with a DDI",
		".customSipHeader_*": "unless set", ".terminatedBy*": "of users who were initialised", ".terminatedDate": "of users who were initialised",
		".externalNumber*": "the suite takes no DDI of a real company", ".companyCalendar*": "the suite knows no calendar of a real company",
	}
}

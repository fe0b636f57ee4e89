package rainbow

import (
	"google.golang.org/grpc"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// A user's document has some sixty members, of which a record shows a third. Where it is not sent back, only those are
// decoded: a refresh of a large company does little else.

// userMembers are the members of a user's document that records are made of (userRecord), and his company's name.
func userMembers() []string {
	members := []string{
		"id", "companyId", "companyName", "isTerminated", "adminType", "roles", "profiles.subscriptionId", "tags", "emails.email", "emails.type",
		"phoneNumbers.number", "phoneNumbers.numberE164", "phoneNumbers.type", "phoneNumbers.deviceType", "phoneNumbers.isFromSystem",
	}
	for _, a := range attributes {
		members = append(members, a.name)
	}
	return members
}

// userShown is that part of an answer with a user, usersShown of one with a list.
func userShown() grpc.CallOption { return upstream.Only(within("data", userMembers())...) }

func usersShown() grpc.CallOption {
	return upstream.Only(append(within("data", userMembers()), "total")...)
}

func within(member string, names []string) []string {
	inner := make([]string, len(names))
	for i, name := range names {
		inner[i] = member + "." + name
	}
	return inner
}

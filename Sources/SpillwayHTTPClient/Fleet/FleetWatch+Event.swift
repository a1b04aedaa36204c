#if HTTPClientSupport
public import Spillway

extension FleetWatch {
    /// What happens to a watch.
    public enum Event: Sendable {
        /// The fleet has other members now.
        case members(MemberChanges)
        /// A list of members could not be read, or was refused; the old one stays.
        case membersFailed(any Error)
        /// Members of the list for which the fleet has no place, by name; told when they change, and none: it has room for all again.
        ///
        /// It has `Fleet.capacity` places, of which those that are wanted no more take some while they have calls.
        case leftOut([String])
        /// A member did not answer a question as it should.
        case failed(Question, member: String, UpstreamError)
    }

    /// What a watch asks of a member.
    public enum Question: String, Sendable, Hashable, CaseIterable {
        /// For its load.
        case metrics
        /// Whether it lives, or makes a token.
        case probe
        /// For the state of its GPUs.
        case devices
    }
}
#endif

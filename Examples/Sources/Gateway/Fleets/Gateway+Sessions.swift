import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// The conversation that a call goes on with; nil: none, or its route has no fleet.
    func conversation(_ id: String?, of tenant: String?, by route: Route) async -> Sessions.Conversation? {
        guard let id, !route.fleets.isEmpty else { return nil }
        return await sessions?.find(id, of: tenant, in: route.fleets)
    }

    /// Returns when it is written down which replica has the conversation now, or cannot be.
    func rememberTurn(of call: UpstreamCall) async {
        guard let conversation = call.conversation, let stay = call.lastStay else { return }
        await sessions?.turned(conversation, at: stay.member, of: stay.fleet, model: stay.model)
    }

    /// What the client is told when no replica has the version of its conversation; nil: that is not why a call failed.
    func stranded(_ last: UpstreamError?, at place: Route.Place?, _ call: UpstreamCall) -> APIError? {
        guard last?.rejection != nil, let fleet = place?.upstream.fleet,
            let session = call.conversation?.stored[fleet.name]?.session,
            !fleet.members.contains(where: VersionGate(session).allows)
        else { return nil }
        let version = session.version.map { "version \($0.major) of " } ?? ""
        return APIError(
            .conflict, "The session began with \(version)\(session.model), which no replica has: begin a new one",
            param: "x-spillway-session", code: "session_version_gone")
    }
}

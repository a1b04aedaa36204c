#if HTTPClientSupport
internal import Spillway

/// Where the attempts of one call at a fleet go.
struct FleetTour: Sendable {
    let fleet: Fleet
    let visits: FleetVisits

    /// A call that has been nowhere.
    init(_ fleet: Fleet, _ request: ChatRequest, _ call: Call) {
        self.fleet = fleet
        let text = request.messages.map { "\($0.role)\n\($0.content)\n" }.joined()
        visits = FleetVisits(prefix: Prefix(of: text, model: request.model, tokens: Int(call.tokens.input)))
    }

    /// Chooses a replica for an attempt.
    func begin(_ attempt: Attempt, at now: Instant) throws(UpstreamError) -> FleetVisit {
        try visits.begin(at: fleet, for: attempt, at: now)
    }
}
#endif

// This module is empty unless the package trait `HTTPClientSupport` is enabled:
// .package(url: …, from: …, traits: ["HTTPClientSupport"])
#if HTTPClientSupport
public import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
public import Spillway

/// An AsyncHTTPClient whose requests go through a policy.
///
/// This module is empty unless the package trait `HTTPClientSupport` is enabled.
///
/// Answers with a status of 400 and above count as failures and are thrown, so that the policy sees them; what a
/// `Retry-After` asks for is kept. Give it a client made with `HTTPClient.Configuration.underPolicy`: by default
/// AsyncHTTPClient itself tries for seconds to connect to a target that refuses, and opens eight connections to a host.
public struct PolicyHTTPClient: Sendable {
    /// What every request goes through.
    public let policy: Policy
    /// Whether every request tells its service how much time is left, and how many extra attempts it may make.
    public let propagates: Bool
    /// The most extra attempts that one request lends to its service; nil: half of what is left, rounded down.
    public let lendsAtMost: Int?
    let client: HTTPClient
    let time: any TimeSource
    /// Learns what answers say of limits; nil: nobody does.
    var feed: QuotaFeed?

    /// A client whose requests go through `policy`.
    ///
    /// A client that propagates is for services of one's own, which read the headers that `CallContext` names and say in
    /// their answer what they spent; other people's, such as model providers, need not know. Each attempt tells of the time
    /// that it has itself, and takes what it lends out of the allowance of the call, if that has one. What the answer's
    /// `x-spillway-spent` does not give back counts as spent; only when there was no connection all of it comes back.
    ///
    /// - Parameters:
    ///   - client: Sends the requests; the process's shared client by default. It stays the caller's to shut down.
    ///   - policy: Decides whether and how often a request is sent.
    ///   - time: Where the time of timeouts comes from; the machine by default.
    ///   - propagates: Whether requests carry what is left of the call's time and extra attempts; not by default.
    ///   - lendsAtMost: The most extra attempts that one request lends to its service, below 0 as 0; by default half of what
    ///     is left, rounded down, so that some stay for retries and hedges here.
    public init(
        _ client: HTTPClient = .shared, policy: Policy, time: any TimeSource = .system, propagates: Bool = false,
        lendsAtMost: Int? = nil
    ) {
        self.policy = policy
        self.propagates = propagates
        self.lendsAtMost = lendsAtMost
        self.client = client
        self.time = time
    }

    /// Sends a request and returns the head of the answer; its body streams.
    ///
    /// A request whose body is a stream is sent once: only when no connection could be made is it tried again.
    ///
    /// - Parameters:
    ///   - request: The request. A relative redirect and the like are the client's own business.
    ///   - call: What gates are told; by default made from the request by ``call(for:)``.
    ///   - timeout: The longest that one attempt waits for the head of the answer, and for the body of an error; 60 s by
    ///     default, and never longer than the policy's deadline allows.
    /// - Throws: `PolicyError` with the last attempt's ``UpstreamError`` in it.
    public func execute(
        _ request: HTTPClientRequest, call: Call? = nil, timeout: Duration = .seconds(60)
    ) async throws(PolicyError<UpstreamError>) -> HTTPClientResponse {
        var call = call ?? Self.call(for: request)
        let sendsOnce = !request.canBeSentAgain
        if sendsOnce { call.idempotency = .unknown }
        let consumed = Consumed()
        return try await policy.run(call) { (attempt) async throws(UpstreamError) -> HTTPClientResponse in
            // A 429 or 503 would be tried again whatever the call, but the body is gone.
            if let failure = consumed.failure.withLock({ $0 }) { throw failure.unrepeatable }
            let cutoff = cutoff(of: attempt, timeout)
            do throws(UpstreamError) {
                return try await cutoff.run(or: "no answer in time") { () async throws(UpstreamError) in
                    try await send(request, attempt, within: cutoff)
                }
            } catch {
                if sendsOnce, error.outcome.cause != .connect { consumed.failure.withLock { $0 = error } }
                throw error
            }
        }
    }

    /// How the attempt failed that used up the body.
    private final class Consumed: Sendable {
        let failure = Locked<UpstreamError?>(nil)
    }

    /// The call that a request stands for when its caller does not say.
    ///
    /// With an `idempotency-key` header it may be repeated under that key; GET, HEAD, PUT, DELETE, OPTIONS and TRACE are
    /// idempotent (RFC 9110, section 9.2.2); of everything else that is not known.
    public static func call(for request: HTTPClientRequest) -> Call {
        if let key = request.headers.first(name: "idempotency-key") { return Call(idempotency: .key(key)) }
        return switch request.method {
        case .GET, .HEAD, .PUT, .DELETE, .OPTIONS, .TRACE: Call(idempotency: .idempotent)
        default: Call()
        }
    }

    /// One attempt: the head of an answer below 400.
    ///
    /// Who calls it bounds its time, and cancels it. To a replica of a fleet the request bears only a path.
    func send(
        _ request: HTTPClientRequest, _ attempt: Attempt, at visit: FleetVisit? = nil, within cutoff: Cutoff
    ) async throws(UpstreamError) -> HTTPClientResponse {
        var request = request
        if let visit {
            request.url = visit.url(request.url)
            visit.ask(&request)
        }
        let loan = propagate(attempt, in: &request)
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, deadline: .distantFuture)
        } catch {
            let failure = UpstreamError.from(transport: error)
            loan?.settle(failure)
            throw failure
        }
        loan?.settle(response)
        visit?.learn(from: response, at: time.now)
        guard response.status.code >= 400 else {
            feed?.learn(from: response, sent: attempt.started, at: time.now)
            return response
        }
        let failure = await UpstreamError.from(response, within: cutoff)
        feed?.learn(from: response, failure.body, sent: attempt.started, at: time.now)
        throw failure
    }

    /// When an attempt that began just now must end.
    func cutoff(of attempt: Attempt, _ timeout: Duration) -> Cutoff {
        let left = attempt.remaining ?? .seconds(Int64.max)
        return Cutoff(deadline: time.now.advanced(by: min(left, timeout)), time: time, isCallers: left < timeout)
    }

    /// No bound of its own.
    var forever: Cutoff { Cutoff(deadline: .distantFuture, time: time) }
}

extension UpstreamError {
    /// The same failure, for an attempt that was not made because the body is gone: neutral and not to be tried again.
    fileprivate var unrepeatable: UpstreamError {
        UpstreamError(
            "\(message) (the request's body can be sent only once)", .neutral(.unacceptable), status: status,
            body: body, contentType: contentType, underlying: underlying)
    }
}
#endif

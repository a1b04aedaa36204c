import Spillway
import SpillwayHTTPClient

/// What follows from a call that failed.
enum Setback: Sendable, Equatable {
    /// The endpoint does not take these texts, and never will.
    case refused(String)
    /// It may take them later: at the earliest after so long, where that is known.
    case later(String, after: Duration?)
    /// Nothing more can be had now.
    case stop(Ending)

    init(_ error: PolicyError<UpstreamError>) {
        if case .rejected(let rejection, _) = error {
            self.init(rejection)
        } else if case .cancelled = error {
            self = .stop(.interrupted)
        } else if let failure = error.underlying {
            self.init(failure)
        } else {
            self = .later("\(error)", after: nil)
        }
    }

    private init(_ rejection: Rejection) {
        switch rejection.reason {
        case .spendLimit: self = .stop(.budget)
        case .keyRetired: self = .stop(.failed("the endpoint does not accept the key"))
        case .quotaExhausted: self = .stop(.quota(rejection.retryAfter))
        // Of a limit that was configured, or learnt: nothing of this size will ever pass.
        case .exceedsBurst: self = .refused("\(rejection)")
        case .unpriced, .noTokens, .noPayer: self = .stop(.failed("\(rejection)"))
        case .cancelled: self = .stop(.interrupted)
        default: self = .later("\(rejection)", after: rejection.retryAfter)
        }
    }

    private init(_ failure: UpstreamError) {
        let text = failure.message
        switch failure.outcome.cause {
        case .cancelled: self = .stop(.interrupted)
        case .authentication: self = .stop(.failed(text))
        case .quotaExhausted: self = .stop(.quota(failure.outcome.retryAfter))
        // No such address, or no such model: that is so for every text.
        case .invalidRequest where [nil, 404, 405].contains(failure.status): self = .stop(.failed(text))
        case .invalidRequest, .contextTooLong, .contentFiltered: self = .refused(text)
        default: self = .later(text, after: failure.outcome.retryAfter)
        }
    }
}

/// Why a run ended before all was done.
enum Ending: Error, Sendable, Equatable {
    /// By SIGINT or SIGTERM.
    case interrupted
    /// The budget of dollars is used up.
    case budget
    /// The provider's quota of the day, or the credit with it, is used up, for so long where that is known.
    case quota(Duration?)
    /// Nothing succeeded for too long; the last failure.
    case silence(String)
    /// It makes no sense to go on.
    case failed(String)

    /// What the program exits with: 130 when it was interrupted, 75 where it makes sense to start it again later, else 1.
    var exitCode: Int32 {
        switch self {
        case .interrupted: 130
        case .budget, .quota, .silence: 75
        case .failed: 1
        }
    }

    /// In one line.
    var text: String {
        switch self {
        case .interrupted: "interrupted"
        case .budget: "the budget is used up; with a larger --budget-dollars it goes on"
        case .quota(let wait):
            "the provider's quota is used up" + (wait.map { ", and comes back in \(Clock.text($0))" } ?? "")
        case .silence(let reason): "nothing succeeded for too long: \(reason)"
        case .failed(let reason): reason
        }
    }
}

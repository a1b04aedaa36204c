extension Outcome {
    /// What went wrong.
    ///
    /// The set is open: ``custom(_:)`` makes more.
    public struct Cause: Sendable, Hashable, CustomStringConvertible {
        @usableFromInline package let code: UInt8

        @inlinable
        package init(_ code: UInt8) { self.code = code }

        /// Nothing went wrong.
        @inlinable public static var none: Cause { Cause(0) }
        /// An error that no classifier knew.
        @inlinable public static var unknown: Cause { Cause(1) }
        /// No connection could be made: the target saw nothing.
        @inlinable public static var connect: Cause { Cause(2) }
        /// The connection broke after the request was sent.
        @inlinable public static var transport: Cause { Cause(3) }
        /// The target did not answer in time.
        @inlinable public static var timeout: Cause { Cause(4) }
        /// The target failed inside (HTTP 500, 502, 504).
        @inlinable public static var serverError: Cause { Cause(5) }
        /// The target has no capacity for anybody (HTTP 503, 529).
        ///
        /// It did not begin the call.
        @inlinable public static var overloaded: Cause { Cause(6) }
        /// The caller's quota per second or minute is used up (HTTP 429).
        ///
        /// It fills again soon.
        @inlinable public static var rateLimited: Cause { Cause(7) }
        /// The caller's quota per day, or its credit, is used up.
        ///
        /// Waiting does not help; another key or target may.
        @inlinable public static var quotaExhausted: Cause { Cause(8) }
        /// The key is unknown, expired or not allowed to do this (HTTP 401, 402, 403).
        @inlinable public static var authentication: Cause { Cause(9) }
        /// The request is wrong and will be wrong again (HTTP 400, 404, 413, 422).
        @inlinable public static var invalidRequest: Cause { Cause(10) }
        /// The prompt does not fit the model's context window.
        ///
        /// A larger window may do.
        @inlinable public static var contextTooLong: Cause { Cause(11) }
        /// The provider's filter refused the content.
        @inlinable public static var contentFiltered: Cause { Cause(12) }
        /// The answer was not what the protocol allows.
        @inlinable public static var malformed: Cause { Cause(13) }
        /// The answer ended before it was whole, after some of it had been passed on.
        @inlinable public static var truncated: Cause { Cause(14) }
        /// The caller went away.
        @inlinable public static var cancelled: Cause { Cause(15) }
        /// Another gate refused, so the target was never asked.
        @inlinable public static var rejected: Cause { Cause(16) }
        /// The answer came, and the caller's own check refused it.
        @inlinable public static var unacceptable: Cause { Cause(17) }
        /// The answer came whole, but later or slower than wanted; see ``Outcome/slow``.
        @inlinable public static var slow: Cause { Cause(18) }
        /// The answer was stopped while it came, because nothing was left to pay for more of it.
        @inlinable public static var spendLimit: Cause { Cause(19) }
        /// What was asked has no answer to this call, such as a cache that has never seen it.
        @inlinable public static var noAnswer: Cause { Cause(20) }

        private static let names: [StaticString] = [
            "none", "unknown", "connect", "transport", "timeout", "server_error", "overloaded", "rate_limited",
            "quota_exhausted", "authentication", "invalid_request", "context_too_long", "content_filtered",
            "malformed", "truncated", "cancelled", "rejected", "unacceptable", "slow", "spend_limit", "no_answer",
        ]

        /// A cause of the user's own, told apart by a number from 0 to 15; larger numbers count as 15.
        public static func custom(_ number: UInt8) -> Cause { Cause(48 + min(number, 15)) }

        /// Whether this cause is one of the user's own.
        public var isCustom: Bool { code >= 48 }

        /// The cause as a metric label, such as `rate_limited`.
        public var description: String {
            isCustom ? "custom_\(code - 48)" : Self.names[Int(code)].description
        }

        /// The cause that is called `description`, such as `rate_limited`; nil: none is.
        public init?(_ description: some StringProtocol) {
            if description.hasPrefix("custom_"), let number = UInt8(description.dropFirst(7)), number < 16 {
                self = .custom(number)
            } else if let code = Self.names.firstIndex(where: { $0.description == description }) {
                self.init(UInt8(code))
            } else {
                return nil
            }
        }

        /// Whether the cause counts as a failure of the target, unless a classifier says otherwise.
        public var speaksAgainstTarget: Bool {
            switch self {
            case .none, .rateLimited, .quotaExhausted, .authentication, .invalidRequest, .contextTooLong,
                .contentFiltered, .cancelled, .rejected, .unacceptable, .slow, .spendLimit, .noAnswer:
                false
            default: true
            }
        }

        /// Whether the target surely did not begin the call, so that any call may be made again.
        public var neverBegan: Bool {
            switch self {
            case .connect, .overloaded, .rateLimited, .quotaExhausted, .authentication, .rejected, .noAnswer: true
            default: false
            }
        }
    }
}

extension CallContext {
    /// The header of a request that says how much time is left, in whole milliseconds: `x-spillway-timeout-ms`.
    public static let timeoutHeader = "x-spillway-timeout-ms"
    /// The header of a request that says how many extra attempts may be made for it: `x-spillway-allowance`.
    public static let allowanceHeader = "x-spillway-allowance"
    /// The header of a request that says how much it matters that it is answered: `x-spillway-criticality`.
    public static let criticalityHeader = "x-spillway-criticality"
    /// The header of an answer that says how many of these were made: `x-spillway-spent`.
    public static let spentHeader = "x-spillway-spent"

    /// What a request says of the call that it is part of.
    ///
    /// A header that is no whole number, or no ``Criticality``, is as none. A number below 0 counts as 0, which is a deadline that has passed, or no
    /// extra attempt; one beyond all reason counts as the largest within (10 years; a million attempts).
    ///
    /// Nothing is cancelled by it: that is for a `Deadline` that is not cooperative, around the work or in its policy.
    ///
    /// - Parameters:
    ///   - headers: The value of the header of this name; nil when the request has none. It is asked for names in lower case,
    ///     and must find them in whatever case the request has them. A dictionary can be given in its place.
    ///   - now: When the request came in.
    public init(headers: (_ name: String) -> String?, at now: Instant) {
        self.init()
        if let timeout = HeaderNumber.read(headers(Self.timeoutHeader)) {
            deadline = now.advanced(by: .milliseconds(min(max(0, timeout), 315_576_000_000)))
        }
        if let attempts = HeaderNumber.read(headers(Self.allowanceHeader)) {
            budgets = budgets.adding(Allowance(min(attempts, 1_000_000)))
        }
        criticality = headers(Self.criticalityHeader).flatMap { Criticality($0) }
    }

    /// What a request says of the call that it is part of, from a dictionary of its headers, whatever the case of their names.
    ///
    /// - Parameters:
    ///   - headers: The headers; where several names differ by case alone, the one in lower case counts.
    ///   - now: When the request came in.
    public init(headers: [String: String], at now: Instant) {
        self.init(
            headers: { name in headers[name] ?? headers.first { $0.key.lowercased() == name }?.value }, at: now)
    }

    /// What to tell a service further in: the time that is left, what it is lent, and how much the call matters.
    ///
    /// - Parameters:
    ///   - now: When the request goes out.
    ///   - loan: What it is lent (``BudgetChain/lend(atMost:share:)``). Without one, where there is an allowance, it is told
    ///     that it may make no extra attempts.
    /// - Returns: Nothing when there is neither deadline, allowance nor criticality.
    public func headers(at now: Instant, loan: Loan? = nil) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let deadline {
            let left = now.duration(to: deadline).clampedNanoseconds
            // Rounded down, since the way there takes time too; but not to what would mean that it is over.
            headers.append((Self.timeoutHeader, left > 0 ? "\(max(1, left / 1_000_000))" : "0"))
        }
        if loan != nil || budgets.allowance != nil {
            headers.append((Self.allowanceHeader, "\(loan?.attempts ?? 0)"))
        }
        if let criticality { headers.append((Self.criticalityHeader, criticality.description)) }
        return headers
    }

    /// What to tell the service further out in the answer, when all work on its request is done: what was spent of its loan.
    ///
    /// Nothing more can be spent then. An answer that says nothing, such as the head of a stream that goes on, lets the
    /// whole loan count as spent.
    public func answerHeaders() -> [(name: String, value: String)] {
        budgets.allowance.map { [(Self.spentHeader, "\($0.close())")] } ?? []
    }
}

extension ProviderSignals {
    /// Of which kind an answer is, and so what to do about it.
    ///
    /// | kind | what it is | what a quota does | the cause of its outcome |
    /// |---|---|---|---|
    /// | ``answered`` | below 400 | is corrected by what the headers say | none |
    /// | ``quotaPerMinute`` | 429, the key's own quota | refuses with `rateLimited` until it is told to come back | `rateLimited` |
    /// | ``quotaPerDay`` | 429 for the day, or no credit | refuses with `quotaExhausted` until the reset | `quotaExhausted` |
    /// | ``capacity`` | 503, 529: everybody's | nothing, and what the call took comes back | `overloaded` |
    /// | ``authentication`` | 401, 402, 403 | refuses with `keyRetired` until it is reinstated | `authentication` |
    /// | ``request`` | other 4xx | nothing | `invalidRequest`, `contextTooLong`, `contentFiltered` |
    /// | ``failure`` | other 5xx, 408 | nothing | `serverError`, `timeout` |
    ///
    /// In a policy, waiting and trying again fit the quota of a minute alone; that of a day and a retired key ask for another tier or
    /// target, capacity for a breaker and another target, and a bad request goes back to whoever made it.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// The provider did what was asked.
        case answered
        /// The key's quota for a second or a minute is used up: wait, or spill to another target.
        case quotaPerMinute
        /// The key's quota for a day, or its credit, is used up: do not try again here before the reset.
        case quotaPerDay
        /// The provider has no capacity for anybody: nothing that this key's quota could know of.
        case capacity
        /// The provider does not accept the key.
        case authentication
        /// The request is wrong, and nothing is learnt about the provider.
        case request
        /// The provider failed.
        case failure

        init(_ cause: Outcome.Cause) {
            self =
                switch cause {
                case .none: .answered
                case .rateLimited: .quotaPerMinute
                case .quotaExhausted: .quotaPerDay
                case .overloaded: .capacity
                case .authentication: .authentication
                case .invalidRequest, .contextTooLong, .contentFiltered: .request
                default: .failure
                }
        }
    }
}

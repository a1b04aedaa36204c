/// What pays for attempts beyond the first: calls pay in, extra attempts are taken out.
///
/// Whatever multiplies attempts asks one before it starts another; share one among all that do so towards the same target.
/// `RetryBudget` of the `Retrying` module is the one that comes with the package.
public protocol AttemptBudget: AnyObject, Sendable {
    /// Pays in for one call.
    ///
    /// Once a call, not once an attempt.
    func deposit(at now: Instant)

    /// Takes one extra attempt out, before it starts; false when there is none left.
    func withdraw(at now: Instant) -> Bool

    /// Puts one attempt back that was taken out and not made.
    func restore()
}

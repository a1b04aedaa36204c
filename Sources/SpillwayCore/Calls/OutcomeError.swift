/// An error that knows what it says about the target of the call.
///
/// Classifiers believe it before they look at anything else.
public protocol OutcomeError: Error {
    /// What the error says about the target.
    var outcome: Outcome { get }
}

/// What a call inherits from the calls around it, carried by the task.
public struct CallContext: Sendable {
    /// When the outermost caller stops waiting; nil: never.
    public var deadline: Instant?
    /// What extra attempts are drawn from, beside the budget of whoever makes them.
    public var budgets: BudgetChain
    /// How much it matters that calls are answered that do not say so themselves; nil: ``Criticality/critical``.
    public var criticality: Criticality?

    /// A context.
    public init(deadline: Instant? = nil, budgets: BudgetChain = .none, criticality: Criticality? = nil) {
        self.deadline = deadline
        self.budgets = budgets
        self.criticality = criticality
    }

    /// The context of the running task; nil outside of any.
    @TaskLocal public static var current: CallContext?

    /// The earlier of `deadline` and that of the running task; nil: neither.
    public static func earliest(_ deadline: Instant?) -> Instant? {
        guard let around = current?.deadline else { return deadline }
        return deadline.map { min($0, around) } ?? around
    }

    /// How much it matters that `call` is answered: as it says, else as the running task says, else
    /// ``Criticality/critical``.
    public static func criticality(of call: borrowing Call) -> Criticality {
        call.criticality ?? current?.criticality ?? .critical
    }

    /// Runs `body` in this context.
    ///
    /// `withValue` does not know typed errors, so that the result is given as a value.
    @inlinable
    public func bound<Value, Failure: Error>(
        _ body: () async throws(Failure) -> Value
    ) async -> Result<Value, Failure> {
        await Self.$current.withValue(self) {
            do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
        }
    }
}

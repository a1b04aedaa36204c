/// Says what an error tells about the target of a call.
public struct Classifier: Sendable {
    private let classify: @Sendable (any Error) -> Outcome

    /// A classifier that asks `classify`.
    public init(_ classify: @escaping @Sendable (any Error) -> Outcome) {
        self.classify = classify
    }

    /// The outcome that `error` stands for.
    public func callAsFunction(_ error: any Error) -> Outcome {
        classify(error)
    }

    /// Believes errors that are an ``OutcomeError``; cancellation and rejections are neutral; every other error is a
    /// failure of unknown cause.
    public static let standard = Classifier { error in
        switch error {
        case let error as any OutcomeError: error.outcome
        case is CancellationError: .neutral(.cancelled)
        case let rejection as Rejection: .neutral(.rejected, retryAfter: rejection.retryAfter)
        default: .failure(.unknown)
        }
    }

    /// Asks `first`, and this classifier where `first` returns nil.
    public func preceded(by first: @escaping @Sendable (any Error) -> Outcome?) -> Classifier {
        Classifier { [classify] error in first(error) ?? classify(error) }
    }

    /// As the classifier has it, but never a success: the operation threw, and there is no answer.
    package func failing(_ error: any Error) -> Outcome {
        let outcome = self(error)
        return outcome.verdict == .success ? .failure(.unknown) : outcome
    }
}

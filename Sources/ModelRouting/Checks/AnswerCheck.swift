/// One check of an answer after the model gave it.
public struct AnswerCheck<Answer: Sendable>: Sendable {
    /// What a check says.
    public enum Verdict: Sendable, Hashable {
        /// The answer will do.
        case passed
        /// It will not, and why.
        case failed(String)
    }

    /// What becomes of an answer whose check throws, or does not end in time.
    public enum Trouble: Sendable, Hashable {
        /// It passes: a broken check must not lose good answers.
        case passes
        /// It fails: no answer may go out that was not checked.
        case fails
    }

    enum Body: Sendable {
        case immediate(@Sendable (Answer) throws -> Verdict)
        case asynchronous(@Sendable (Answer) async throws -> Verdict)
    }

    /// What errors and counts call it.
    public let name: String
    /// The share of answers that it looks at, from 0 to 1.
    public let share: Double
    /// How long it may take, when it is asynchronous.
    public let timeout: Duration
    /// What becomes of an answer when the check throws or takes too long.
    public let trouble: Trouble
    let body: Body

    private init(_ name: String, _ share: Double, _ timeout: Duration, _ trouble: Trouble, _ body: Body) {
        self.name = name
        self.share = share
        self.timeout = timeout
        self.trouble = trouble
        self.body = body
    }

    /// A check that answers at once.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - share: The share of answers that it looks at; all by default.
    ///   - trouble: What becomes of an answer when it throws; it passes by default.
    ///   - check: Looks at an answer.
    public init(
        _ name: String, share: Double = 1, trouble: Trouble = .passes,
        _ check: @escaping @Sendable (Answer) throws -> Verdict
    ) {
        self.init(name, share, .zero, trouble, .immediate(check))
    }

    /// A check that takes its time, such as another model that judges.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - share: The share of answers that it looks at; all by default.
    ///   - timeout: How long it may take. It is cancelled then, and not waited for.
    ///   - trouble: What becomes of an answer when it throws or takes too long; it passes by default.
    ///   - check: Looks at an answer.
    public static func asynchronous(
        _ name: String, share: Double = 1, timeout: Duration, trouble: Trouble = .passes,
        _ check: @escaping @Sendable (Answer) async throws -> Verdict
    ) -> AnswerCheck {
        AnswerCheck(name, share, timeout, trouble, .asynchronous(check))
    }
}

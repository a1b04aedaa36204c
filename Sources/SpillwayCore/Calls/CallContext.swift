/// What a call inherits from the calls around it, carried by the task.
public struct CallContext: Sendable {
    /// When the outermost caller stops waiting; nil: never.
    public var deadline: Instant?

    /// A context.
    public init(deadline: Instant? = nil) {
        self.deadline = deadline
    }

    /// The context of the running task; nil outside of any.
    @TaskLocal public static var current: CallContext?
}

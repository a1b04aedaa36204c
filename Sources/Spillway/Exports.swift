@_exported public import Admission
@_exported public import CircuitBreaking
@_exported public import CostLedger
@_exported public import GPUClient
@_exported public import Hedging
@_exported public import ModelRouting
@_exported public import Retrying
@_exported public import SpillwayCore

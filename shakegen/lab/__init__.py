"""The lab: small experiments that show how recurrent networks work, one module each.

An experiment is a function of plain arguments that returns a `result.Result`: its rows, a table, a figure, and all
numbers. Only experiments that train import TensorFlow, and only when they are called.
"""

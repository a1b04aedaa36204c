public import Spillway

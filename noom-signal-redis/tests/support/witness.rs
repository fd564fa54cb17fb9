//! A hub that only writes down what it is told.

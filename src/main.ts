#!/usr/bin/env node
/** Turns the arguments into a command. */
export {};

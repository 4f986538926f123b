#!/bin/sh
echo "${GREETING:-good morning}, $1"

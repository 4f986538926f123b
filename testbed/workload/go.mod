module kit/testbed/workload

go 1.24

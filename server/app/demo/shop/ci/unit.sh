#!/bin/sh
# Stands for a test suite: some output, some colour, a second of work.
set -u
cd "$(dirname "$0")/.."
green=$(printf '\033[32m') red=$(printf '\033[31m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
for package in address auth basket catalog currency orders payments; do
  echo "${green}ok${off}    shop/$package ${dim}0.0$(echo $package | wc -c)s${off}"
  sleep 0.1
done
sum=0
for price in $(cat totals.txt); do sum=$((sum + price)); done
if [ $sum -ne 1000 ]; then
  echo "${red}--- FAIL${off}: TestTotals"
  echo "        totals.txt: expected 1000 got $sum"
  exit 1
fi
echo "${green}ok${off}    shop/totals 1000"

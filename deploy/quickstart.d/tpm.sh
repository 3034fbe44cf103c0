# tpm.sh - a pretended TPM manufacturer, and a software TPM with its endorsement certificates.
# shellcheck shell=bash disable=SC2154 # clone, state, run and the like come from deploy/quickstart

manufacturer="Demo TPM Manufacturer"

# A real manufacturer's root comes from the manufacturer. This one is made here, which is why it proves nothing about
# the world, and why the service has to be told to trust it (trust/, in service.sh).
manufacturer_make() {
	step maker "a pretended TPM manufacturer: root and intermediate CA" "$state/log/manufacturer.log"
	once manufacturer manufacturer_write
}

manufacturer_write() {
	local dir=$state/manufacturer

	install -d -m 700 "$dir"
	manufacturer_root "$dir" >>"$step_log" 2>&1
	manufacturer_intermediate "$dir" >>"$step_log" 2>&1
	# swtpm_setup reads these three; it wants absolute paths.
	cat >"$dir/localca.conf" <<-END
		statedir = $dir
		signingkey = $dir/intermediate.key
		issuercert = $dir/intermediate.pem
		certserial = $dir/serial
	END
	cat >"$dir/localca.options" <<-END
		--platform-manufacturer "Example Machines"
		--platform-model "Example Server"
		--platform-version 1.0
	END
	cat >"$dir/setup.conf" <<-END
		create_certs_tool = /usr/bin/swtpm_localca
		create_certs_tool_config = $dir/localca.conf
		create_certs_tool_options = $dir/localca.options
		active_pcr_banks = sha256
	END
}

manufacturer_root() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -nodes -days 7300 \
		-subj "/O=$manufacturer/CN=$manufacturer Root CA (not a real one)" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$1/root.key" -out "$1/root.pem"
}

manufacturer_intermediate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -nodes \
		-subj "/O=$manufacturer/CN=$manufacturer EK CA 1 (not a real one)" \
		-addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
		-addext subjectKeyIdentifier=hash -keyout "$1/intermediate.key" -out "$1/intermediate.csr"
	openssl x509 -req -in "$1/intermediate.csr" -CA "$1/root.pem" -CAkey "$1/root.key" -sha384 -days 3650 \
		-set_serial "0x$(openssl rand -hex 8)" -copy_extensions copy -out "$1/intermediate.pem"
}

# What happens in the factory: the TPM makes its endorsement keys, the manufacturer certifies them, and the
# certificates go into the TPM's memory.
tpm_manufacture() {
	install -d -m 700 "$state/tpm"
	# shellcheck disable=SC2094 # both append
	swtpm_setup --tpm2 --tpmstate "$state/tpm" --create-ek-cert --create-platform-cert --lock-nvram --overwrite \
		--config "$state/manufacturer/setup.conf" --vmid demo-tpm-1 \
		--logfile "$step_log" >>"$step_log" 2>&1 9>&-
}

# The control socket's name has to be the socket's with ".ctrl": the TCTI looks for it there.
tpm_start() {
	step tpm "a software TPM made by it" "$state/log/tpm.log"
	once tpm tpm_manufacture
	process_is_running tpm || process_start tpm swtpm socket --tpm2 --tpmstate "dir=$state/tpm" \
		--server "type=unixio,path=$run/tpm" --ctrl "type=unixio,path=$run/tpm.ctrl" \
		--flags not-need-init,startup-clear
	process_wait tpm "answered" swtpm_ioctl --unix "$run/tpm.ctrl" -g
}
